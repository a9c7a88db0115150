// The addon of the CUDA backend: a second module in a package of its own, opened when a GPU is asked for. It is always
// tried in a child process first, since it wakes a driver that may end the process; where no driver is, this one never opens it.

import { TintypeError } from '../errors.ts'
import { type Native, objection, type Refusal } from './binding.ts'
import { type Candidate, candidates, packageNames, packageVersion } from './candidates.ts'
import { currentPlatform } from './platform.ts'
import { probe } from './probe.ts'
import { ownFile, requireFrom } from './require.ts'

/** A GPU as the CUDA backend sees it. */
export interface GpuInfo {
  /** What `device` takes: `cuda:0`. */
  readonly name: string
  /** As the manufacturer calls it. */
  readonly description: string
  /** Its architecture: `sm_86`. */
  readonly isa: string
  /** In bytes. */
  readonly memory: number
}

export interface CudaTrial {
  readonly candidate: Candidate
  /** Why it cannot be used: the file is not fit, or no GPU answers. */
  readonly reason: string | undefined
  /** Whether the file is as it should be, so that the reason lies in the machine. */
  readonly sound: boolean
  readonly gpus: readonly GpuInfo[]
}

/** Loads a candidate in a child process, and asks it for GPUs. */
export function tryCuda(candidate: Candidate): CudaTrial {
  const known = objection(candidate)
  if (typeof known === 'object') return { candidate, reason: known.reason, sound: false, gpus: [] }
  const tested = probe(candidate.file!)
  if (!tested.loads) return { candidate, reason: tested.reason, sound: false, gpus: [] }
  const gpus = tested.devices as unknown as readonly GpuInfo[]
  const reason = tested.problem ?? (gpus.length === 0 ? 'There is no NVIDIA GPU.' : undefined)
  return { candidate, reason, sound: true, gpus }
}

/** How to get the backend, or to do without it. */
export function howToGetCuda(): string {
  const [name] = packageNames('tintype_cuda')
  const otherwise = 'device: "cpu" works everywhere.'
  if (!name) return `There is none for ${currentPlatform()}; ${otherwise}`
  return `\`npm install ${name}@${packageVersion() ?? 'latest'}\` gets it, of the version of tintype; ${otherwise}`
}

/** What to do where the backend loads, and finds no GPU. */
export const mendDriver = '`nvidia-smi` must list the GPU, in containers too; device: "cpu" works everywhere.'

let outcome: Native | TintypeError | undefined

/**
 * The addon, loaded on first use. That it cannot be is remembered too: each attempt takes a child process.
 *
 * @throws TintypeError `DEVICE_UNAVAILABLE` where there is none, none that loads, or no GPU that it could use
 */
export function cudaNative(): Native {
  outcome ??= load()
  if (outcome instanceof TintypeError) throw outcome
  return outcome
}

function load(): Native | TintypeError {
  const refused: Refusal[] = []
  for (const candidate of candidates('tintype_cuda')) {
    let { reason, sound } = tryCuda(candidate)
    if (sound && reason !== undefined) {
      return new TintypeError('DEVICE_UNAVAILABLE', reason, { advice: mendDriver })
    }
    if (sound) {
      try {
        return requireFrom(ownFile())(candidate.file!) as Native
      } catch (error) {
        reason = String(error instanceof Error ? error.message : error).split('\n')[0]!
      }
    }
    refused.push({ candidate, reason: reason! })
  }
  const present = refused.filter(
    ({ candidate }) => candidate.file !== undefined || process.env.TINTYPE_CUDA_ADDON,
  )
  const tried = present.map(({ candidate, reason }) => `\n  ${candidate.name}: ${reason}`).join('')
  return new TintypeError(
    'DEVICE_UNAVAILABLE',
    tried ? `The CUDA backend could not be loaded:${tried}\n` : 'The CUDA backend is not installed.',
    {
      advice: process.env.TINTYPE_CUDA_ADDON
        ? 'TINTYPE_CUDA_ADDON names the only file that was tried.'
        : howToGetCuda(),
    },
  )
}
