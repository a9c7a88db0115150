// Finds and loads the native addon, and says what it offers. Nothing else in lib/ touches it but lib/runtime.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ErrorCode, TintypeError } from '../errors.ts'
import type { DeviceInfo } from './device.ts'
import type { CompileOptions, WeightLocation } from './program.ts'

export interface NativeRun {
  readonly promise: Promise<Float64Array | undefined>
  readonly cancel: () => void
}

export interface NativeProgram {
  run(inputs: readonly ArrayBufferView[], outputs: readonly ArrayBufferView[]): NativeRun
  dispose(): void
}

export interface NativeWeightSet {
  bytes(): { readonly stored: number; readonly resident: number }
  dispose(): void
}

/** What native/addon.cc exports. */
export interface Native {
  devices(): DeviceInfo[]
  loadWeights(refs: readonly WeightLocation[]): NativeWeightSet
  compile(plan: ArrayBuffer, weights: NativeWeightSet | null, options: CompileOptions): NativeProgram
}

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** npm installs the package whose `os`, `cpu` and `libc` fit; where it cannot tell the libc, only one loads. */
function platformPackages(): string[] {
  const platform = `@tintype/${process.platform}-${process.arch}`
  return process.platform === 'linux' ? [`${platform}-glibc`, `${platform}-musl`] : [platform]
}

function load(): Native {
  const chosen = process.env.TINTYPE_ADDON
  const files = chosen ? [resolve(chosen)] : [resolve(root, 'build/Release/tintype.node')]
  const packages = chosen ? [] : platformPackages().map((name) => `${name}/tintype.node`)
  const tried: string[] = []
  for (const name of [...files, ...packages]) {
    try {
      if (files.includes(name) && !existsSync(name)) tried.push(`${name}: no such file`)
      else return require(name) as Native
    } catch (error) {
      // The first line says it; the others list who required it.
      tried.push(`${name}: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
    }
  }
  throw new TintypeError(
    'ADDON_NOT_FOUND',
    `No native addon for ${process.platform}-${process.arch} could be loaded.\n  ${tried.join('\n  ')}\n`,
    {
      advice: chosen
        ? 'TINTYPE_ADDON names the only file that was tried.'
        : 'In a checkout, `npm run build:native` compiles it (it takes CMake 3.22 and a C++20 compiler).',
    },
  )
}

let loaded: Native | undefined

/**
 * The addon, loaded on first use.
 *
 * @throws TintypeError `ADDON_NOT_FOUND`, with every file that was tried
 */
export function native(): Native {
  loaded ??= load()
  return loaded
}

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  'ABORTED',
  'DISPOSED',
  'INTERNAL',
  'INVALID_ARGUMENT',
  'INVALID_WEIGHTS',
  'IO',
  'MODEL_NOT_FOUND',
  'OUT_OF_MEMORY',
])

/** What native threw, as our own error; anything without one of our codes is a bug of ours. */
export function fromNative(error: unknown): TintypeError {
  if (error instanceof TintypeError) return error
  const { code, message } = error as { readonly code?: string; readonly message?: string }
  const known = code !== undefined && codes.has(code)
  const advice =
    code === 'OUT_OF_MEMORY' ? 'Make smaller or fewer pictures at once, or free memory.' : undefined
  return new TintypeError(known ? (code as ErrorCode) : 'INTERNAL', message ?? String(error), {
    ...(advice && { advice }),
    ...(!known && { cause: error }),
  })
}

/** Calls into native; errors come out as TintypeErrors. */
export function callNative<T>(call: (addon: Native) => T): T {
  const addon = native()
  try {
    return call(addon)
  } catch (error) {
    throw fromNative(error)
  }
}
