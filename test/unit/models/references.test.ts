// The models as graphs, run by the references of the op table in float64: right before any kernel exists.

import { describe, expect, it } from 'vitest'
import { interpret } from '../../../lib/graph/interpret.ts'
import { makePlan } from '../../../lib/graph/plan.ts'
import { clipText } from '../../../lib/models/clip.ts'
import { readModelConfigs } from '../../../lib/models/configs.ts'
import { unet } from '../../../lib/models/unet.ts'
import { vaeDecoder, vaeEncoder } from '../../../lib/models/vae.ts'
import { fromPixels } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { Trace } from '../../../lib/tensor/trace.ts'
import { goldenNames, openGolden } from '../../golden/pipelines.ts'
import { relativeError, toNhwc } from '../../golden/tensors.ts'

// What fp32 in diffusers itself is away from float64, see errorAgainstFloat64 in golden.json; the bar of the project.
const tolerance = 1e-5

const graphOf = (record: (trace: Trace, scope: Scope) => void) => {
  const trace = new Trace()
  record(trace, new Scope(trace))
  return makePlan(trace.graph(), () => 0).graph
}

describe.each(goldenNames)('%s in float64', (name) => {
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
    const { y } = interpret(graph, { inputs: { ids: ids.data }, weight: golden.weights('text_encoder') })
    expect(relativeError(y!, golden.tensor('text.embeddings').data)).toBeLessThan(tolerance)
  })

  // Latents that do not halve evenly.
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
    const inputs = {
      latents: nhwc(`${prefix}.sample`),
      timestep: Float32Array.of(golden.settings.unetTimestep),
      context: embeddings.data,
    }
    const { y } = interpret(graph, { inputs, weight: golden.weights('unet') })
    expect(relativeError(y!, nhwc(`${prefix}.output`))).toBeLessThan(tolerance)
  })

  it('VAE decoder', async () => {
    const { vae } = await readModelConfigs(golden.folder)
    const graph = graphOf((trace, scope) => {
      trace.output('y', vaeDecoder(scope, trace.input('latents', 'f32', nhwcShape('vae.latents')), vae))
    })
    const { y } = interpret(graph, {
      inputs: { latents: nhwc('vae.latents') },
      weight: golden.weights('vae'),
    })
    expect(relativeError(y!, nhwc('vae.decoded'))).toBeLessThan(tolerance)
  })

  it('VAE encoder', async () => {
    const { vae } = await readModelConfigs(golden.folder)
    const picture = golden.tensor('vae.picture')
    const graph = graphOf((trace, scope) => {
      const pixels = fromPixels(trace.input('pixels', 'u8', [1, ...picture.shape]))
      trace.output('y', vaeEncoder(scope, pixels, vae))
    })
    const { y } = interpret(graph, { inputs: { pixels: picture.data }, weight: golden.weights('vae') })
    const c = vae.latentChannels
    const means = y!.filter((_, i) => i % (2 * c) < c)
    expect(relativeError(means, nhwc('vae.mean'))).toBeLessThan(tolerance)
  })
})
