// Writes a full-size Stable Diffusion model with random weights, in diffusers' layout, for measuring what can be
// measured without the real ones. usage: tsx bench/random-model.ts FOLDER [--architecture sd15|sd21|sdxl] [--dtype F16|F32]

import { cp, mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Graph } from '../lib/graph/graph.ts'
import { elements } from '../lib/graph/graph.ts'
import { readModelConfigs } from '../lib/models/configs.ts'
import { defaultModelFolder } from '../lib/pipelines/default-model.ts'
import { decodeGraph, encodeGraph, stepGraph, textGraph } from '../lib/pipelines/stages.ts'
import { type Architecture, architectureNames, architectures } from './architectures.ts'
import { BenchError } from './errors.ts'

/** What DDIM needs to paint with either. */
const scheduler = {
  ...{ _class_name: 'DDIMScheduler', beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' },
  ...{ num_train_timesteps: 1000, clip_sample: false, set_alpha_to_one: false, steps_offset: 1 },
}

const index = {
  ...{ _class_name: 'StableDiffusionPipeline', _diffusers_version: '0.6.0' },
  ...{ scheduler: ['diffusers', 'DDIMScheduler'], tokenizer: ['transformers', 'CLIPTokenizer'] },
  ...{ text_encoder: ['transformers', 'CLIPTextModel'], vae: ['diffusers', 'AutoencoderKL'] },
  ...{ unet: ['diffusers', 'UNet2DConditionModel'], safety_checker: [null, null] },
  ...{ feature_extractor: [null, null], requires_safety_checker: false },
}

export type RandomDtype = 'F16' | 'F32'

export interface RandomModelOptions {
  readonly architecture?: Architecture
  readonly dtype?: RandomDtype
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
}

const surveyed = { n: 1, h: 8, w: 8 }
const surveyedStep = {
  ...surveyed,
  ...{ guided: false, stochastic: false, historyLength: 0, threshold: undefined, wantClean: false },
}

function tensorsOf(...graphs: readonly Graph[]): Tensor[] {
  const weights = graphs.flatMap((graph) => graph.values).filter((value) => value.kind === 'weight')
  return [...new Map(weights.map(({ name, shape }) => [name, { name, shape }])).values()]
}

/** Standard deviation and mean that keep activations at about unit size through a deep network. */
function distribution({ name, shape }: Tensor): { readonly mean: number; readonly deviation: number } {
  if (/norm\d*\.weight$/.test(name) || /(layer_norm\d|conv_norm_out|group_norm|norm)\.weight$/.test(name)) {
    return { mean: 1, deviation: 0.05 }
  }
  if (shape.length === 1) return { mean: 0, deviation: 0.02 }
  if (/embedding/.test(name) && !/time_embedding/.test(name)) return { mean: 0, deviation: 0.02 }
  return { mean: 0, deviation: 0.7 / Math.sqrt(elements(shape.slice(1))) }
}

/** A table of standard normals to pick from: good enough here, and hundreds of times faster than drawing each. */
const normals = (() => {
  let state = 1
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  return Float32Array.from({ length: 65536 }, () => {
    return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  })
})()

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)

/** The nearest half of a normal number of moderate size; subnormals become 0. */
function toHalf(value: number): number {
  float[0] = value
  const bits = floatBits[0]!
  const exponent = ((bits >>> 23) & 255) - 112
  if (exponent <= 0) return 0
  return ((bits >>> 16) & 0x8000) | (((exponent << 10) | ((bits >>> 13) & 1023)) + ((bits >>> 12) & 1))
}

/** Long enough that a matrix shows no pattern, short enough to be made for each tensor. */
const blockLength = 2 ** 17

/** Values of one tensor: a random block, over and over. The seed is the name, so that every run writes the same. */
function* valuesOf(tensor: Tensor, dtype: RandomDtype): Generator<Uint8Array> {
  const { mean, deviation } = distribution(tensor)
  const table = Float32Array.from(normals, (z) => mean + deviation * z)
  const stored = dtype === 'F32' ? table : Uint16Array.from(table, toHalf)
  const total = elements(tensor.shape)
  // An odd length, so that the repetitions do not line up with the rows of the matrix.
  const length = Math.min(total, blockLength - 1)
  const block = dtype === 'F32' ? new Float32Array(length) : new Uint16Array(length)
  let state = [...tensor.name].reduce(
    (hash, char) => Math.imul(hash ^ char.charCodeAt(0), 16777619) >>> 0,
    2166136261,
  )
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    block[i] = stored[state >>> 16]!
  }
  for (let left = total; left > 0; left -= length) {
    yield new Uint8Array(block.buffer, 0, Math.min(left, length) * block.BYTES_PER_ELEMENT)
  }
}

async function writeSafetensors(path: string, tensors: readonly Tensor[], dtype: RandomDtype): Promise<void> {
  let end = 0
  const header: Record<string, object> = {}
  for (const { name, shape } of tensors) {
    const begin = end
    end += elements(shape) * (dtype === 'F32' ? 4 : 2)
    header[name] = { dtype, shape, data_offsets: [begin, end] }
  }
  const text = Buffer.from(JSON.stringify(header))
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  const file = await open(path, 'w')
  try {
    await file.writev([length, padded])
    for (const tensor of tensors) for (const values of valuesOf(tensor, dtype)) await file.write(values)
  } finally {
    await file.close()
  }
}

/** Writes the folder; about 2 GB for SD 1.5 in F16, 5 GB for SDXL's shapes. */
export async function writeRandomModel(
  folder: string,
  { architecture = 'sd15', dtype = 'F16' }: RandomModelOptions = {},
): Promise<void> {
  const { text: published, unet, vae } = architectures[architecture]
  // transformers wants these as floats, and JSON from JavaScript has no 1.0; no arithmetic depends on them.
  const { initializer_factor, attention_dropout, dropout, ...text } = published
  const files = {
    'model_index.json': index,
    'scheduler/scheduler_config.json': scheduler,
    'text_encoder/config.json': text,
    'unet/config.json': unet,
    'vae/config.json': vae,
  }
  for (const [path, json] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), JSON.stringify(json, null, 2))
  }
  await cp(join(defaultModelFolder, 'tokenizer'), join(folder, 'tokenizer'), { recursive: true })
  const configs = await readModelConfigs(folder)
  const parts = {
    'text_encoder/model': tensorsOf(textGraph(configs, 1)),
    'unet/diffusion_pytorch_model': tensorsOf(stepGraph(configs, surveyedStep)),
    'vae/diffusion_pytorch_model': tensorsOf(decodeGraph(configs, surveyed), encodeGraph(configs, surveyed)),
  }
  for (const [name, tensors] of Object.entries(parts)) {
    await writeSafetensors(join(folder, `${name}.safetensors`), tensors, dtype)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { architecture: { type: 'string', default: 'sd15' }, dtype: { type: 'string', default: 'F16' } },
  })
  const [folder] = positionals
  const architecture = architectureNames.find((name) => name === values.architecture)
  const dtype = (['F16', 'F32'] as const).find((name) => name === values.dtype)
  if (folder === undefined || architecture === undefined || dtype === undefined) {
    throw new BenchError(
      `Expected a folder, one of ${architectureNames.join(', ')}, and F16 or F32.`,
      'Example: tsx bench/random-model.ts /models/sd21 --architecture sd21.',
    )
  }
  await writeRandomModel(folder, { architecture, dtype })
}
