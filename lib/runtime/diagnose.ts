// What a person who asks for help is asked for: which addon was chosen and why not another, devices, GPUs, models.

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { unpackedPath } from './asar.ts'
import { chosenAddon, howToGetOne, objection } from './binding.ts'
import { type Candidate, candidates, packageRoot, packageVersion, variables } from './candidates.ts'
import { type CudaTrial, type GpuInfo, howToGetCuda, mendDriver, tryCuda } from './cuda-binding.ts'
import { type DeviceInfo, devices } from './device.ts'
import { type NvidiaGpu, nvidiaGpus } from './nvidia.ts'
import { currentPlatform, platforms } from './platform.ts'
import { probe } from './probe.ts'

/** One place where a native module may lie. */
export interface AddonDiagnosis {
  /** Path, or the name of the package. */
  readonly name: string
  /** `environment`: named by TINTYPE_ADDON or TINTYPE_CUDA_ADDON; `build`: compiled here; `package`: prebuilt, installed by npm. */
  readonly origin: 'environment' | 'build' | 'package'
  readonly file: string | undefined
  /** `chosen`: this process uses it; `usable`: it loads, but comes after the chosen one; `refused`: see `reason`. */
  readonly state: 'chosen' | 'usable' | 'refused'
  readonly reason: string | undefined
  /** Instruction sets that it has kernels for and this machine can run, best first; of the CUDA backend, of each GPU. */
  readonly isas: readonly string[]
}

/** The CUDA backend, a module of its own in a package of its own. */
export interface CudaDiagnosis {
  readonly addons: readonly AddonDiagnosis[]
  /** What `device` can name: none where no backend is installed, or no driver. */
  readonly gpus: readonly GpuInfo[]
}

export interface Diagnosis {
  readonly version: string
  readonly node: string
  /** `linux-x64`, `linux-arm64-musl`, `win32-x64`: also the name of the package, where there is one. */
  readonly platform: string
  /** Whether a binary is published for the platform. */
  readonly prebuilt: boolean
  readonly addons: readonly AddonDiagnosis[]
  /** None where no addon could be used. */
  readonly devices: readonly DeviceInfo[]
  /** What NVIDIA's driver lists, whether tintype can use it or not. */
  readonly gpus: readonly NvidiaGpu[]
  /** Why no GPU is listed. */
  readonly gpuNote: string | undefined
  readonly cuda: CudaDiagnosis
  /** Variables of tintype that are set. */
  readonly environment: Readonly<Record<string, string>>
  /** The embedded model; no files where the package is incomplete. */
  readonly embeddedModel: { readonly folder: string; readonly bytes: number } | undefined
  /** What to do, the most urgent first; empty where nothing is amiss. */
  readonly advice: readonly string[]
}

/** `isas`: of the chosen one, which is loaded already and needs no test. */
function diagnoseAddon(
  candidate: Candidate,
  chosen: { readonly name: string; readonly isas: readonly string[] } | undefined,
): AddonDiagnosis {
  if (candidate.name === chosen?.name)
    return { ...candidate, state: 'chosen', reason: undefined, isas: chosen.isas }
  const refused = (reason: string): AddonDiagnosis => ({ ...candidate, state: 'refused', reason, isas: [] })
  const known = objection(candidate)
  if (typeof known === 'object') return refused(known.reason)
  const tested = probe(candidate.file!)
  if (!tested.loads) return refused(tested.reason)
  const [cpu] = tested.devices as unknown as readonly DeviceInfo[]
  return { ...candidate, state: 'usable', reason: undefined, isas: cpu?.isas ?? [] }
}

/** The first backend that is sound is the one that a pipeline takes: where no GPU answers it, none answers another. */
function diagnoseCuda(trials: readonly CudaTrial[]): CudaDiagnosis {
  const chosen = trials.find(({ sound }) => sound)
  return {
    addons: trials.map((trial) => {
      const { candidate, reason, gpus } = trial
      const state = reason !== undefined ? 'refused' : trial === chosen ? 'chosen' : 'usable'
      return { ...candidate, state, reason, isas: gpus.map(({ isa }) => isa) }
    }),
    gpus: chosen?.gpus ?? [],
  }
}

/** What to do so that GPUs that are there get used. */
function adviseOnCuda(trials: readonly CudaTrial[], gpus: readonly NvidiaGpu[]): string[] {
  const names = gpus.map(({ name }) => name).join(', ')
  const sound = trials.find((trial) => trial.sound)
  if (sound) return sound.reason === undefined ? [] : [`${sound.reason} ${mendDriver}`]
  const damaged = trials.filter(({ candidate }) => candidate.file !== undefined)
  const found = damaged.map(
    ({ candidate, reason }) => `The CUDA backend cannot be used: ${candidate.name} ${reason}.`,
  )
  if (found.length > 0) return [`${found.join(' ')} ${howToGetCuda()}`]
  return names ? [`The CUDA backend is not installed, which would use ${names}. ${howToGetCuda()}`] : []
}

const setVariables = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('TINTYPE_'))) as Record<
    string,
    string
  >

function embeddedModel(): Diagnosis['embeddedModel'] {
  const root = packageRoot()
  const folder = root && unpackedPath(join(root, 'models/default'))
  if (!folder || !existsSync(folder)) return undefined
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  return { folder, bytes }
}

/** The value, or what the attempt threw. */
function attempt<T>(get: () => T): { readonly value?: T; readonly message?: string } {
  try {
    return { value: get() }
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Looks at everything that tintype depends on, loading each addon in a child process first. Throws nothing: what is
 * wrong stands in `addons` and `advice`. Takes a few seconds.
 *
 * @example
 * const { advice } = diagnose()
 * for (const sentence of advice) console.error(sentence)
 */
export function diagnose(): Diagnosis {
  const platform = currentPlatform()
  const chosen = attempt(() => chosenAddon().candidate).value
  const listed = chosen ? attempt(devices) : {}
  const known = chosen && { name: chosen.name, isas: listed.value?.[0]?.isas ?? [] }
  const addons = candidates().map((candidate) => diagnoseAddon(candidate, known))
  const gpus = nvidiaGpus()
  const trials = candidates('tintype_cuda').map(tryCuda)
  const cuda = diagnoseCuda(trials)
  const model = embeddedModel()

  const advice: string[] = []
  if (!chosen) {
    const named = process.env[variables.tintype]
    advice.push(
      named ? `Unset TINTYPE_ADDON, or let it name an addon: it is ${named}.` : howToGetOne(platform),
    )
  }
  if (listed.message) advice.push(listed.message)
  if (!model) advice.push('The embedded model is not there: install tintype again, or name a model folder.')
  advice.push(...adviseOnCuda(trials, Array.isArray(gpus) ? gpus : []))
  return {
    version: packageVersion() ?? 'unknown',
    node: process.version,
    platform,
    prebuilt: platforms.some(({ key }) => key === platform),
    addons,
    devices: listed.value ?? [],
    gpus: Array.isArray(gpus) ? gpus : [],
    gpuNote: Array.isArray(gpus) ? undefined : gpus,
    cuda,
    environment: setVariables(),
    embeddedModel: model,
    advice,
  }
}
