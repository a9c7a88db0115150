// tintype's own driver: the stages of the package, without the way from prompts and to files.

import { createReadStream, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { load } from '../../../lib/index.ts'
import { clipText } from '../../../lib/models/clip.ts'
import { readModelConfigs } from '../../../lib/models/configs.ts'
import { unet } from '../../../lib/models/unet.ts'
import { vaeDecoder, vaeEncoder } from '../../../lib/models/vae.ts'
import { Component } from '../../../lib/pipelines/component.ts'
import { toChannelsFirst, toChannelsLast } from '../../../lib/pipelines/layout.ts'
import { decodeGraph, encodeGraph } from '../../../lib/pipelines/stages.ts'
import { packageVersion } from '../../../lib/runtime/candidates.ts'
import { targetOf } from '../../../lib/runtime/target.ts'
import { tile } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

const isPicture = (shape) => shape.length === 4
const planeOf = ([n, c, h, w]) => ({ n, c, h, w })
/** (n, c, h, w) to (n, h, w, c), the layout of activations here. */
const lastOf = (shape) => (isPicture(shape) ? [shape[0], shape[2], shape[3], shape[1]] : shape)

/** Of latents that are the same for all prompts a guided step has one picture, and repeats it in the graph. */
const guidedUnet = ({ unet: config }, scope, { latents, ...inputs }) =>
  unet(scope, { ...inputs, latents: tile(latents, inputs.context.shape[0]) }, config)

const precisionOf = (arithmetic) => (arithmetic === 'bf16' ? 'bf16' : undefined)

/** Part of the folder, and its output from its inputs. */
const models = {
  text: ['text_encoder', ({ textEncoder }, scope, { ids }) => clipText(scope, ids, textEncoder)],
  unet: ['unet', guidedUnet],
  'vae-decode': ['vae', ({ vae }, scope, { latents }) => vaeDecoder(scope, latents, vae)],
  'vae-encode': ['vae', ({ vae }, scope, { pixels }) => vaeEncoder(scope, pixels, vae)],
}

function readNumbers({ file, dtype, shape }) {
  const bytes = readFileSync(file)
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  const numbers = dtype === 'i32' ? new Int32Array(aligned) : new Float32Array(aligned)
  return numbers.subarray(
    0,
    shape.reduce((total, size) => total * size, 1),
  )
}

function readArray(array) {
  const data = readNumbers(array)
  return isPicture(array.shape) ? toChannelsLast(data, planeOf(array.shape)) : data
}

/** The first picture of a file of copies. */
const onePicture = (array) => ({ ...array, shape: [1, ...array.shape.slice(1)] })

async function prepareStage({ stage, model, threads, arithmetic, inputs: given }) {
  const files = stage === 'unet' ? { ...given, latents: onePicture(given.latents) } : given
  const configs = await readModelConfigs(model)
  const [part, build] = models[stage]
  const trace = new Trace()
  const symbols = Object.entries(files).map(([name, { dtype, shape }]) => [
    name,
    trace.input(name, dtype, lastOf(shape)),
  ])
  const result = build(configs, new Scope(trace), Object.fromEntries(symbols))
  trace.output('output', result)
  const graph = trace.graph()
  // A folder must fit its model as a whole, and the autoencoder is two graphs.
  const surveyed = { n: 1, h: 8, w: 8 }
  const whole = part === 'vae' ? [decodeGraph(configs, surveyed), encodeGraph(configs, surveyed)] : []
  const targets = [targetOf({ precision: precisionOf(arithmetic) })]
  const component = await Component.open(join(model, part), [graph, ...whole], { threads, targets })
  const inputs = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readArray(file)]))
  const output = new Float32Array(result.shape.reduce((total, size) => total * size, 1))
  const [n, h, w, c] = result.shape
  return {
    run: () => component.run({ key: stage, graph: () => graph, inputs, outputs: { output } }),
    output: () => (isPicture(result.shape) ? toChannelsFirst(output, { n, c, h, w }) : output),
  }
}

async function prepareImage({ model, threads, arithmetic, size, inputs, picture }) {
  const pipeline = await load(model, { threads, precision: precisionOf(arithmetic) })
  const latents = readNumbers(inputs.noise)
  const { prompt, steps, guidanceScale, seed } = picture
  let image
  return {
    async run() {
      const options = {
        prompt,
        steps,
        guidanceScale,
        seed,
        width: size,
        height: size,
        scheduler: 'euler',
        latents,
      }
      const { images } = await pipeline.generate(options)
      image = images[0]
    },
    output() {
      const shares = Float32Array.from(image.data, (byte) => byte / 255)
      return toChannelsFirst(shares, { n: 1, c: 3, h: size, w: size })
    },
  }
}

const answer = (message) => writeSync(3, `${JSON.stringify(message)}\n`)

let prepared
const requests = {
  async prepare(job) {
    const begin = performance.now()
    prepared = { job, ...(await (job.stage === 'image' ? prepareImage(job) : prepareStage(job))) }
    return { loadMs: performance.now() - begin }
  },
  async run() {
    const begin = performance.now()
    await prepared.run()
    return { ms: performance.now() - begin }
  },
  save() {
    writeFileSync(prepared.job.output, prepared.output())
    return { saved: true }
  },
}

answer({ version: `tintype ${packageVersion()}` })
for await (const line of createInterface({ input: createReadStream('', { fd: 0 }) })) {
  const [[name, argument]] = Object.entries(JSON.parse(line))
  try {
    answer(await requests[name](argument))
  } catch (error) {
    answer({ error: String(error.stack) })
  }
}
