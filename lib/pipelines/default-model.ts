// The model that comes with the package, for `generate()` right after install.

import { join } from 'node:path'
import { unpackedPath } from '../runtime/asar.ts'
import { packageRoot } from '../runtime/candidates.ts'
import { copyOptions } from './copy-options.ts'
import { load, type Pipeline } from './pipeline.ts'
import type { GenerateOptions, GenerateResult } from './types.ts'

// A bundle without the package beside it has no embedded model; the error of who asks for it names this path.
const root = packageRoot() ?? 'node_modules/tintype'

/** Folder of the embedded model, in diffusers' layout. */
export const defaultModelFolder: string = unpackedPath(join(root, 'models/default'))

let loading: Promise<Pipeline> | undefined

/** Loads the embedded model once for the whole process. */
export function defaultPipeline(): Promise<Pipeline> {
  loading ??= load(defaultModelFolder).catch((error) => {
    loading = undefined
    throw error
  })
  return loading
}

/**
 * Paints with the model that comes with the package: small pictures of everyday things on plain backgrounds.
 * Options are read at the call.
 *
 * @example
 * const { images } = await generate({ prompt: 'red apple', seed: 1 })
 * await images[0].toFile('apple.png')
 */
export async function generate(options: GenerateOptions): Promise<GenerateResult> {
  // Now, not after the model has been loaded.
  const own = copyOptions(options)
  return (await defaultPipeline()).generate(own)
}
