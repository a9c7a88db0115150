// Finds and loads the native addon, and says what it offers. Nothing else in lib/ touches it but lib/runtime.

import { type ErrorCode, TintypeError } from '../errors.ts'
import { type Candidate, candidates, danger, otherVersion } from './candidates.ts'
import type { DeviceInfo } from './device.ts'
import { currentPlatform, platforms } from './platform.ts'
import { probe } from './probe.ts'
import type { WeightLocation } from './program.ts'
import { ownFile, requireFrom } from './require.ts'
import type { Matrices } from './target.ts'

export interface NativeRun {
  readonly promise: Promise<Float64Array | undefined>
  readonly cancel: () => void
}

export interface NativeProgram {
  run(
    inputs: readonly ArrayBufferView[],
    outputs: readonly ArrayBufferView[],
    versions: readonly number[],
  ): NativeRun
  dispose(): void
}

export interface NativeWeightSet {
  bytes(): { readonly stored: number; readonly resident: number }
  dispose(): void
}

export interface NativeOptions {
  readonly device: number
  readonly profile: boolean
  /** Matrix products sum 32 products in fp16. */
  readonly fast: boolean
  readonly threads?: number
}

/** What native/addon.cc exports. */
export interface Native {
  devices(): DeviceInfo[]
  loadWeights(
    refs: readonly WeightLocation[],
    options: { readonly device: number; readonly matrices: Matrices },
  ): NativeWeightSet
  compile(plan: ArrayBuffer, weights: NativeWeightSet | null, options: NativeOptions): NativeProgram
  requireMemory(bytes: number, purpose: string): void
  releaseWorkspace(options: { readonly device: number }): void
}

export interface Refusal {
  readonly candidate: Candidate
  readonly reason: string
}

/** Why a file is not to be touched; `unknown` where only a test load can tell, undefined where nothing is amiss. */
export function objection({ file, origin }: Candidate): { readonly reason: string } | 'unknown' | undefined {
  if (file === undefined) return { reason: origin === 'package' ? 'not installed' : 'no such file' }
  const version = origin === 'package' ? otherVersion(file) : undefined
  if (version) return { reason: version }
  const known = danger(file)
  return known === 'no' ? undefined : known
}

/** Why a candidate is not to be loaded; undefined where it is. */
function refusal(candidate: Candidate): string | undefined {
  const known = objection(candidate)
  if (known !== 'unknown') return known?.reason
  const tested = probe(candidate.file!)
  return tested.loads ? undefined : tested.reason
}

interface Loaded {
  readonly addon: Native
  readonly candidate: Candidate
  readonly refused: readonly Refusal[]
}

function load(): Loaded {
  const refused: Refusal[] = []
  for (const candidate of candidates()) {
    let reason = refusal(candidate)
    if (reason === undefined) {
      try {
        return { addon: requireFrom(ownFile())(candidate.file!) as Native, candidate, refused }
      } catch (error) {
        // The first line says it; the others list who required it.
        reason = String(error instanceof Error ? error.message : error).split('\n')[0]!
      }
    }
    refused.push({ candidate, reason })
  }
  const tried = refused.map(({ candidate, reason }) => `\n  ${candidate.name}: ${reason}`)
  const platform = currentPlatform()
  const list = tried.length > 0 ? `${tried.join('')}\n` : ''
  throw new TintypeError('ADDON_NOT_FOUND', `No native addon for ${platform} could be loaded.${list}`, {
    advice: process.env.TINTYPE_ADDON
      ? 'TINTYPE_ADDON names the only file that was tried.'
      : howToGetOne(platform),
  })
}

/** What to do when no addon loads. */
export function howToGetOne(platform: string): string {
  const compile = '`npx tintype build` compiles one (it takes CMake 3.22 and a C++20 compiler)'
  const more = '`npx tintype doctor` tells more.'
  const prebuilt = platforms.some(({ key }) => key === platform)
  if (!prebuilt) return `There is no prebuilt binary for ${platform}; ${compile}. ${more}`
  return `npm installs @tintype/${platform} with tintype unless it is told to leave optional dependencies out (--omit=optional, or a lock file made on another system); otherwise ${compile}. ${more}`
}

let loaded: Loaded | undefined

/**
 * The addon, loaded on first use.
 *
 * @throws TintypeError `ADDON_NOT_FOUND`, with every file that was tried
 */
export function native(): Native {
  loaded ??= load()
  return loaded.addon
}

/** Which addon this process uses, loading it if need be, and which better ones could not be used. */
export function chosenAddon(): Omit<Loaded, 'addon'> {
  loaded ??= load()
  return loaded
}

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  'ABORTED',
  'DEVICE_LOST',
  'DEVICE_UNAVAILABLE',
  'DISPOSED',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'INVALID_WEIGHTS',
  'IO',
  'MODEL_NOT_FOUND',
  'OUT_OF_MEMORY',
])

/** A GPU has let go of everything that it could do without before it says so. */
const memoryAdvice = (message: string) =>
  / cuda:\d/.test(message)
    ? 'Make fewer or smaller pictures at once, decode in strips (vaeTiling: true), or predict the halves of guidance in turns (sequentialGuidance: true), which nearly halves what a step takes.'
    : 'Make smaller or fewer pictures at once, predict the halves of guidance in turns (sequentialGuidance: true), or free memory.'

/** What native threw, as our own error; anything without one of our codes is a bug of ours. */
export function fromNative(error: unknown): TintypeError {
  if (error instanceof TintypeError) return error
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  const known = code !== undefined && codes.has(code)
  const advice = code === 'OUT_OF_MEMORY' ? memoryAdvice(message ?? '') : undefined
  return new TintypeError(known ? (code as ErrorCode) : 'INTERNAL', message ?? String(error), {
    ...(advice && { advice }),
    ...(!known && { cause: error }),
  })
}

/** Calls into native; errors come out as TintypeErrors. */
export function callNative<T>(call: (addon: Native) => T, addon: Native = native()): T {
  try {
    return call(addon)
  } catch (error) {
    throw fromNative(error)
  }
}
