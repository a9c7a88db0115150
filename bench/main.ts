// What each stage of a model costs on this machine, with random weights where real ones are not at hand.
// usage: npm run bench -- [--architecture sd15|sd21] [--model FOLDER] [--size 256] [--seconds 10] [--json]

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Bench } from 'tinybench'
import { devices } from '../lib/index.ts'
import { runGeneration } from '../lib/pipelines/generation.ts'
import { decodePictures, encodePicture } from '../lib/pipelines/image-stages.ts'
import { type Model, openModel } from '../lib/pipelines/model.ts'
import { resolveOptions } from '../lib/pipelines/options.ts'
import { encodeTexts } from '../lib/pipelines/text-stage.ts'
import { type Architecture, writeRandomModel } from './random-model.ts'

const { values: flags } = parseArgs({
  options: {
    architecture: { type: 'string', default: 'sd15' },
    model: { type: 'string' },
    size: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
})

/** One guided denoising step with the text encoding before it, which is measured apart as well. */
async function oneStep(model: Model, size: number): Promise<void> {
  const options = resolveOptions(
    { prompt: 'a lighthouse', width: size, height: size, steps: 1, seed: 1, output: 'latents' },
    model.defaults,
  )
  for await (const _ of runGeneration(model, options));
}

async function measure(model: Model, size: number): Promise<Bench> {
  const { factor, latentChannels } = model.configs.vae
  const plane = { h: size / factor, w: size / factor }
  const latents = new Float32Array(plane.h * plane.w * latentChannels).fill(0.5)
  const picture = { data: new Uint8Array(size * size * 3).fill(127), width: size, height: size }
  const bench = new Bench({
    time: Number(flags.seconds) * 1000,
    iterations: 3,
    warmupIterations: 1,
    warmupTime: 0,
  })
  bench.add('text encoder, 2 prompts', () => encodeTexts(model, ['a lighthouse', '']))
  bench.add(`text and one guided step, ${size}x${size}`, () => oneStep(model, size))
  bench.add(`VAE decoder, ${size}x${size}`, () => decodePictures(model, latents, plane))
  bench.add(`VAE encoder, ${size}x${size}`, () => encodePicture(model, picture, plane, latents))
  await bench.run()
  return bench
}

function report(bench: Bench): void {
  const [cpu] = devices()
  const rows = bench.tasks.map(({ name, result }) => {
    if (!('latency' in result)) throw new Error(`${name} was not measured`)
    const { p50, min, max, samplesCount } = result.latency
    return { name, medianMs: p50, minMs: min, maxMs: max, runs: samplesCount }
  })
  if (flags.json) {
    console.log(JSON.stringify({ machine: cpu, rows }, null, 2))
    return
  }
  console.log(`${cpu!.description}, ${cpu!.isa}, ${cpu!.threads} threads, Node ${process.version}`)
  console.table(
    rows.map(({ name, medianMs, minMs, maxMs, runs }) => ({
      stage: name,
      'median ms': medianMs.toFixed(1),
      'min ms': minMs.toFixed(1),
      'max ms': maxMs.toFixed(1),
      runs,
    })),
  )
}

const temporary = flags.model === undefined ? await mkdtemp(join(tmpdir(), 'tintype-bench-')) : undefined
try {
  if (temporary) await writeRandomModel(temporary, { architecture: flags.architecture as Architecture })
  report(await measure(await openModel(flags.model ?? temporary!, {}), Number(flags.size)))
} finally {
  if (temporary) await rm(temporary, { recursive: true, force: true })
}
