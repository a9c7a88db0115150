// The models on the CPU kernels against diffusers, block by block where a failure wants a place.

import { afterAll, describe, expect, it } from 'vitest'
import type { Graph } from '../../lib/graph/graph.ts'
import { elements } from '../../lib/graph/graph.ts'
import { clipText } from '../../lib/models/clip.ts'
import { readModelConfigs } from '../../lib/models/configs.ts'
import { unet } from '../../lib/models/unet.ts'
import { vaeDecoder, vaeEncoder } from '../../lib/models/vae.ts'
import { type Arrays, Component } from '../../lib/pipelines/component.ts'
import { fromPixels } from '../../lib/tensor/functional.ts'
import { Scope } from '../../lib/tensor/scope.ts'
import { Trace } from '../../lib/tensor/trace.ts'
import { goldenNames, openGolden } from '../golden/pipelines.ts'
import { relativeError, toNhwc } from '../golden/tensors.ts'

const tolerance = 1e-5

const graphOf = (record: (trace: Trace, scope: Scope) => void): Graph => {
  const trace = new Trace()
  record(trace, new Scope(trace))
  return trace.graph()
}

const opened: Component[] = []
afterAll(() => {
  for (const component of opened) component.dispose()
})

/** Runs a graph with a single float output over the weights of a component's folder; `all` names all their uses. */
async function run(folder: string, graph: Graph, inputs: Arrays, all: readonly Graph[] = [graph]) {
  const component = await Component.open(folder, all, {})
  opened.push(component)
  const { name, value } = graph.outputs[0]!
  const out = new Float32Array(elements(graph.values[value]!.shape))
  await component.run({ key: 'test', graph: () => graph, inputs, outputs: { [name]: out } })
  return out
}

describe.each(goldenNames)('%s', (name) => {
  const golden = openGolden(name)
  const nhwc = (tensor: string) => toNhwc(golden.tensor(tensor))
  const nhwcShape = (tensor: string) => {
    const [n, c, h, w] = golden.tensor(tensor).shape as [number, number, number, number]
    return [n, h, w, c]
  }

  it('text encoder', async () => {
    const { textEncoder } = await readModelConfigs(golden.folder)
    const ids = golden.tensor('text.input_ids')
    const graph = graphOf((trace, scope) => {
      trace.output('y', clipText(scope, trace.input('ids', 'i32', ids.shape), textEncoder))
    })
    const y = await run(`${golden.folder}/text_encoder`, graph, { ids: ids.data })
    expect(relativeError(y, golden.tensor('text.embeddings').data)).toBeLessThan(tolerance)
  })

  const sizes = name === 'nonsquare' ? ['unet', 'unet.24x40', 'unet.13x21', 'unet.9x31'] : ['unet']
  it.each(sizes)('UNet (%s)', async (prefix) => {
    const configs = await readModelConfigs(golden.folder)
    const embeddings = golden.tensor('unet.embeddings')
    const graph = graphOf((trace, scope) => {
      const latents = trace.input('latents', 'f32', nhwcShape(`${prefix}.sample`))
      const timestep = trace.input('timestep', 'f32', [1])
      const context = trace.input('context', 'f32', embeddings.shape)
      trace.output('y', unet(scope, { latents, timestep, context }, configs.unet))
    })
    const y = await run(`${golden.folder}/unet`, graph, {
      latents: nhwc(`${prefix}.sample`),
      timestep: Float32Array.of(golden.settings.unetTimestep),
      context: embeddings.data,
    })
    expect(relativeError(y, nhwc(`${prefix}.output`))).toBeLessThan(tolerance)
  })

  it('VAE', async () => {
    const { vae } = await readModelConfigs(golden.folder)
    const picture = golden.tensor('vae.picture')
    const decoder = graphOf((trace, scope) => {
      trace.output('y', vaeDecoder(scope, trace.input('latents', 'f32', nhwcShape('vae.latents')), vae))
    })
    const encoder = graphOf((trace, scope) => {
      const pixels = fromPixels(trace.input('pixels', 'u8', [1, ...picture.shape]))
      trace.output('y', vaeEncoder(scope, pixels, vae))
    })
    const both = [decoder, encoder]
    const decoded = await run(`${golden.folder}/vae`, decoder, { latents: nhwc('vae.latents') }, both)
    expect(relativeError(decoded, nhwc('vae.decoded'))).toBeLessThan(tolerance)

    const moments = await run(`${golden.folder}/vae`, encoder, { pixels: picture.data }, both)
    const c = vae.latentChannels
    const half = (second: boolean) => moments.filter((_, i) => i % (2 * c) >= c === second)
    expect(relativeError(half(false), nhwc('vae.mean'))).toBeLessThan(tolerance)
    const logvar = half(true).map((value) => Math.min(20, Math.max(-30, value)))
    expect(relativeError(logvar, nhwc('vae.logvar'))).toBeLessThan(tolerance)
  })
})
