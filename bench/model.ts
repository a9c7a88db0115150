// The model that is measured: a folder that was named, or a known architecture with random weights, made once.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { type ModelConfigs, readModelConfigs } from '../lib/models/configs.ts'
import { type Architecture, architectures } from './architectures.ts'
import type { Stage } from './peers/protocol.ts'
import { type RandomDtype, writeRandomModel } from './random-model.ts'

/** Where things lie that take long to make: `TINTYPE_BENCH_CACHE`, or a folder where the system keeps such things. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve(env.TINTYPE_BENCH_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tintype-bench'))

const shortHash = (text: string | Buffer) => createHash('sha256').update(text).digest('hex').slice(0, 8)

export interface BenchModel {
  /** In results. */
  readonly name: string
  readonly folder: string
  /** For exports of it. */
  readonly cache: string
  readonly configs: ModelConfigs
}

/** Under another name until it is whole. */
async function randomModel(
  architecture: Architecture,
  dtype: RandomDtype,
  note: (line: string) => void,
): Promise<string> {
  const sources = ['random-model.ts', 'architectures.ts'].map((file) =>
    readFileSync(new URL(file, import.meta.url)),
  )
  const folder = join(cacheFolder(), `${architecture}-${dtype}-${shortHash(Buffer.concat(sources))}`)
  if (!existsSync(folder)) {
    note(`writing ${folder}`)
    const partial = `${folder}-partial`
    await rm(partial, { recursive: true, force: true })
    await writeRandomModel(partial, { architecture, dtype })
    await rename(partial, folder)
  }
  return folder
}

export async function benchModel(
  {
    model,
    dtype,
    architecture = 'sd15',
  }: {
    readonly model: string | undefined
    readonly dtype: RandomDtype
    readonly architecture?: Architecture
  },
  note: (line: string) => void,
): Promise<BenchModel> {
  const folder = resolve(model ?? (await randomModel(architecture, dtype, note)))
  return {
    name: model === undefined ? `${architectures[architecture].title}, random ${dtype}` : basename(folder),
    folder,
    cache: join(cacheFolder(), 'exports', `${basename(folder)}-${shortHash(folder)}`),
    configs: await readModelConfigs(folder),
  }
}

const parts: Readonly<Record<Stage, readonly string[]>> = {
  text: ['text_encoder'],
  unet: ['unet'],
  'vae-decode': ['vae'],
  'vae-encode': ['vae'],
  image: ['text_encoder', 'unet', 'vae'],
}

const weightFiles = { text_encoder: 'model', unet: 'diffusion_pytorch_model', vae: 'diffusion_pytorch_model' }

/** Bytes that a stage's weights take in float32, from the sizes of the files; an estimate for what fits beside what. */
export async function weightBytes(folder: string, stage: Stage): Promise<number> {
  const sizes = parts[stage].map(async (part) => {
    const file = join(folder, part, `${weightFiles[part as keyof typeof weightFiles]}.safetensors`)
    // Stored in half precision more often than not; too much asked for only means fewer processes at a time.
    return 2 * (existsSync(file) ? (await stat(file)).size : 1e9)
  })
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0)
}
