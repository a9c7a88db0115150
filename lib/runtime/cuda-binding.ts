// The addon of the CUDA backend: a second module, opened when a GPU is asked for.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { TintypeError } from '../errors.ts'
import type { Native } from './binding.ts'
import { findInPackage, packageRoot } from './candidates.ts'

const require = createRequire(import.meta.url)

/** Files that could be it, best first. */
function candidates(): string[] {
  const named = process.env.TINTYPE_CUDA_ADDON
  if (named) return [resolve(named)]
  const root = packageRoot()
  const built = root && join(root, 'build/Release/tintype_cuda.node')
  const installed = findInPackage(`@tintype/cuda-${process.platform}-${process.arch}`, 'tintype_cuda.node')
  return [built, installed].filter((file) => file !== undefined)
}

let loaded: Native | undefined

/**
 * The addon, loaded on first use.
 *
 * @throws TintypeError `DEVICE_UNAVAILABLE` where there is none, or none that loads
 */
export function cudaNative(): Native {
  if (loaded) return loaded
  const files = candidates().filter((file) => existsSync(file))
  const refused: string[] = []
  for (const file of files) {
    try {
      loaded = require(file) as Native
      return loaded
    } catch (error) {
      refused.push(`\n  ${file}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new TintypeError(
    'DEVICE_UNAVAILABLE',
    refused.length > 0
      ? `The CUDA backend could not be loaded:${refused.join('')}`
      : 'The CUDA backend is not installed.',
    { advice: 'device: "cpu" works everywhere.' },
  )
}
