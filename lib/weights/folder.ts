// Which files of a component's folder hold its weights: one file, shards with an index, or a variant of either.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TintypeError } from '../errors.ts'
import { suggestion } from '../nearest.ts'
import { readRegularFile } from '../regular-file.ts'
import { show } from '../show.ts'
import { damaged, label, MAX_HEADER_BYTES, readSafetensorsHeader, type TensorInfo } from './safetensors.ts'

export interface WeightFiles {
  /** `''` for the plain files, else as in `model.fp16.safetensors`. */
  readonly variant: string
  readonly paths: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
}

export interface FolderOptions {
  /** Take `<name>.<variant>.safetensors`. Without it the plain files, or the only variant there is, fp16 before others. */
  readonly variant?: string
}

interface Candidate {
  readonly file: string
  readonly base: string
  readonly variant: string
  readonly sharded: boolean
}

/** diffusers' and transformers' names; the first that a folder has is taken. */
const baseNames = ['diffusion_pytorch_model', 'model']
const single = /^(\w+?)(?:\.([\w-]+))?\.safetensors$/
const index = /^(\w+?)\.safetensors\.index(?:\.([\w-]+))?\.json$/
const shard = /-\d+-of-\d+$/
const pickles = /\.(bin|ckpt|pt|pth|pkl)$/
/** It has a line for each tensor, as headers have. */
const MAX_INDEX_BYTES = MAX_HEADER_BYTES

/**
 * Finds the weights of a component (`unet`, `vae`, `text_encoder`) and reads their headers.
 *
 * @throws TintypeError MODEL_NOT_FOUND when there are none, INVALID_WEIGHTS when they are damaged
 */
export async function readWeightFiles(folder: string, { variant }: FolderOptions = {}): Promise<WeightFiles> {
  const files = await list(folder)
  const candidates = files.map(asCandidate).filter((candidate) => candidate !== undefined)
  if (candidates.length === 0) throw noWeights(folder, files)
  const chosen = choose(folder, candidates, variant)
  const path = join(folder, chosen.file)
  if (chosen.sharded) return { variant: chosen.variant, ...(await readShards(folder, path)) }
  return { variant: chosen.variant, paths: [path], tensors: (await readSafetensorsHeader(path)).tensors }
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort()
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new TintypeError('MODEL_NOT_FOUND', `The folder ${folder} cannot be read (${reason}).`, {
      advice: 'Is this a Stable Diffusion model in diffusers layout, fully downloaded?',
      cause,
    })
  }
}

function asCandidate(file: string): Candidate | undefined {
  const match = single.exec(file) ?? index.exec(file)
  const [base, variant] = [match?.[1], match?.[2] ?? '']
  if (base === undefined || !baseNames.includes(base) || shard.test(variant)) return undefined
  return { file, base, variant, sharded: file.endsWith('.json') }
}

function choose(folder: string, candidates: readonly Candidate[], wanted: string | undefined): Candidate {
  const variants = [...new Set(candidates.map((candidate) => candidate.variant))]
  const named = variants.filter((variant) => variant !== '')
  if (wanted !== undefined && !variants.includes(wanted)) {
    throw new TintypeError('MODEL_NOT_FOUND', `${folder} has no weights of the variant ${show(wanted)}.`, {
      advice:
        named.length > 0 ? suggestion(wanted, named) : 'It has only plain files: leave the variant out.',
    })
  }
  const variant = wanted ?? ['', 'fp16', ...named].find((name) => variants.includes(name))
  if (wanted === undefined && variant !== '' && variant !== 'fp16' && named.length > 1) {
    throw new TintypeError(
      'MODEL_NOT_FOUND',
      `${folder} has several variants of its weights and no plain ones.`,
      {
        advice: `Choose one: ${named.join(', ')}.`,
      },
    )
  }
  const rank = ({ base, sharded }: Candidate) => 2 * baseNames.indexOf(base) + (sharded ? 1 : 0)
  return candidates.filter((candidate) => candidate.variant === variant).sort((a, b) => rank(a) - rank(b))[0]!
}

function noWeights(folder: string, files: readonly string[]): TintypeError {
  const pickle = files.find((file) => pickles.test(file))
  if (pickle !== undefined) {
    return new TintypeError(
      'MODEL_NOT_FOUND',
      `${folder} holds its weights as ${pickle} only, a Python pickle: a program, which tintype never runs.`,
      {
        advice:
          'Most models also come as .safetensors: download those, or convert with diffusers: pipeline.save_pretrained(folder, safe_serialization=True).',
      },
    )
  }
  const there = files.length > 0 ? `it has ${files.slice(0, 8).join(', ')}` : 'it is empty'
  return new TintypeError('MODEL_NOT_FOUND', `${folder} has no weights (${there}).`, {
    advice: `Expected ${baseNames.map((name) => `${name}.safetensors`).join(' or ')}.`,
  })
}

async function readShards(folder: string, indexPath: string): Promise<Omit<WeightFiles, 'variant'>> {
  const weightMap = await readWeightMap(indexPath)
  const names = [...new Set(weightMap.values())].sort()
  const paths = names.map((name) => join(folder, name))
  const tensors = new Map<string, TensorInfo>()
  for (const path of paths) {
    for (const [name, tensor] of (await readSafetensorsHeader(path)).tensors) {
      const other = tensors.get(name)
      if (other) throw damaged(path, `${label(name)} is in ${other.path} too.`)
      tensors.set(name, tensor)
    }
  }
  for (const [name, file] of weightMap) {
    if (tensors.get(name)?.path !== join(folder, file)) {
      throw damaged(indexPath, `${label(name)} is not in ${file}.`, 'Download the folder again.')
    }
  }
  return { paths, tensors }
}

async function readWeightMap(path: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await readRegularFile(path, {
    mostBytes: MAX_INDEX_BYTES,
    tooLarge: (size) => damaged(path, `${size} bytes is no index.`),
    notAFile: () => damaged(path, 'it is not a file.'),
  }).catch((cause: unknown) => {
    if (cause instanceof TintypeError) throw cause
    throw new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read.`, { cause })
  })
  let json: unknown
  try {
    json = JSON.parse(bytes.toString())
  } catch {
    throw damaged(path, 'it is no JSON.')
  }
  const map: unknown =
    typeof json === 'object' && json !== null && 'weight_map' in json ? json.weight_map : undefined
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw damaged(path, 'it has no weight_map.')
  const entries = Object.entries(map).map(([name, file]: [string, unknown]) => {
    // A plain name in this folder, as long as systems have them: an index must not reach for other files of the machine.
    if (typeof file !== 'string' || file.length > 255 || !/^[^/\\:\0]+\.safetensors$/.test(file)) {
      throw damaged(path, `weight_map: ${show(file)} is no name of a safetensors file beside it.`)
    }
    return [name, file] as const
  })
  if (entries.length === 0) throw damaged(path, 'its weight_map is empty.')
  return new Map(entries)
}
