// The path that a URL stands for.

import { fileURLToPath } from 'node:url'

/** Undefined where it is not on this machine. */
export function pathOfUrl(url: URL): string | undefined {
  if (url.protocol !== 'file:') return undefined
  try {
    return fileURLToPath(url)
  } catch {
    // It names a host, or has an escaped slash.
    return undefined
  }
}
