// Electron packs an app into one file, app.asar, which only JavaScript sees as a folder: native code gets the files that
// were left beside it, in app.asar.unpacked.

import { existsSync } from 'node:fs'

/** The path that native code can open: of the unpacked file or folder where there is one, else the path itself. */
export function unpackedPath(path: string): string {
  const unpacked = path.replace(/(\.asar)(?=[\\/]|$)/, '$1.unpacked')
  return unpacked !== path && existsSync(unpacked) ? unpacked : path
}
