// `require`, for files that are found at run time. Not by importing createRequire by its name: webpack follows what that
// gives, and would bundle everything that could be meant.

import nodeModule from 'node:module'
import { resolve } from 'node:path'

/**
 * Where this code lies, as path or URL. A bundle in CommonJS, which is what esbuild makes unless told otherwise, has no
 * `import.meta.url` and names its file by `__filename`; in a program of one executable that is the executable.
 */
export function ownFile(): string {
  const url: string | undefined = import.meta.url
  return url ?? (typeof __filename === 'string' ? resolve(__filename) : process.execPath)
}

/** A `require` that looks where the file lies, given by path or URL. */
export const requireFrom = (file: string): NodeJS.Require => nodeModule.createRequire(file)
