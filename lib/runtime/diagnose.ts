// What a person who asks for help is asked for: which addon was chosen and why not another, devices, GPUs, models.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chosenAddon, howToGetOne } from './binding.ts'
import { type Candidate, candidates, danger, findInPackage, packageRoot } from './candidates.ts'
import { type DeviceInfo, devices } from './device.ts'
import { type NvidiaGpu, nvidiaGpus } from './nvidia.ts'
import { currentPlatform, platforms } from './platform.ts'
import { probe } from './probe.ts'

/** One place where a native addon may lie. */
export interface AddonDiagnosis {
  /** Path, or the name of the package. */
  readonly name: string
  /** `environment`: named by TINTYPE_ADDON; `build`: compiled here; `package`: prebuilt, installed by npm. */
  readonly origin: 'environment' | 'build' | 'package'
  readonly file: string | undefined
  /** `chosen`: this process uses it; `usable`: it loads, but comes after the chosen one; `refused`: see `reason`. */
  readonly state: 'chosen' | 'usable' | 'refused'
  readonly reason: string | undefined
  /** Instruction sets that it has kernels for and this machine can run, best first. */
  readonly isas: readonly string[]
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
  readonly gpus: readonly NvidiaGpu[]
  /** Why no GPU is listed. */
  readonly gpuNote: string | undefined
  /** The CUDA backend, a package of its own, where it is installed. */
  readonly cudaModule: string | undefined
  /** The embedded model; no files where the package is incomplete. */
  readonly embeddedModel: { readonly folder: string; readonly bytes: number } | undefined
  /** What to do, the most urgent first; empty where nothing is amiss. */
  readonly advice: readonly string[]
}

function diagnoseAddon(candidate: Candidate, chosen: Candidate | undefined): AddonDiagnosis {
  const { name, origin, file } = candidate
  const refused = (reason: string): AddonDiagnosis => ({
    name,
    origin,
    file,
    state: 'refused',
    reason,
    isas: [],
  })
  if (file === undefined) return refused(origin === 'package' ? 'not installed' : 'no such file')
  const known = danger(file)
  if (typeof known === 'object') return refused(known.reason)
  const tested = probe(file)
  if (!tested.loads) return refused(tested.reason)
  const state = name === chosen?.name ? 'chosen' : 'usable'
  return { name, origin, file, state, reason: undefined, isas: tested.devices[0]?.isas ?? [] }
}

function embeddedModel(root: string | undefined): Diagnosis['embeddedModel'] {
  const folder = root && join(root, 'models/default')
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
  const root = packageRoot()
  const platform = currentPlatform()
  const chosen = attempt(() => chosenAddon().candidate).value
  const addons = candidates().map((candidate) => diagnoseAddon(candidate, chosen))
  const listed = chosen ? attempt(devices) : {}
  const gpus = nvidiaGpus()
  const gpuNames = Array.isArray(gpus) ? gpus.map(({ name }) => name) : []
  const model = embeddedModel(root)
  const manifest = root && attempt(() => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).value

  const advice: string[] = []
  if (!chosen) {
    const named = process.env.TINTYPE_ADDON
    advice.push(
      named ? `Unset TINTYPE_ADDON, or let it name an addon: it is ${named}.` : howToGetOne(platform),
    )
  }
  if (listed.message) advice.push(listed.message)
  if (!model) advice.push('The embedded model is not there: install tintype again, or name a model folder.')
  if (gpuNames.length > 0 && !listed.value?.some(({ name }) => name !== 'cpu')) {
    advice.push(`This version computes on the CPU only: it cannot use ${gpuNames.join(', ')} yet.`)
  }
  return {
    version: manifest?.version ?? 'unknown',
    node: process.version,
    platform,
    prebuilt: platforms.some(({ key }) => key === platform),
    addons,
    devices: listed.value ?? [],
    gpus: Array.isArray(gpus) ? gpus : [],
    gpuNote: Array.isArray(gpus) ? undefined : gpus,
    cudaModule: findInPackage(`@tintype/cuda-${platform}`, 'tintype_cuda.so'),
    embeddedModel: model,
    advice,
  }
}
