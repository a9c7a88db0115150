// Scripts that are measured in processes of their own are bundled from the sources, as the package is: what compiles
// TypeScript must not be in their memory or their start.

import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const folder = fileURLToPath(new URL('../build/bench/', import.meta.url))

/** Bundles a script of bench/ and returns what node can run. */
export function bundle(script: string): string {
  const outfile = join(folder, basename(dirname(script)), basename(script))
  buildSync({
    ...{ entryPoints: [script], outfile, bundle: true, packages: 'external' },
    ...{ format: 'esm', platform: 'node', target: 'node20', logLevel: 'warning' },
  })
  return outfile
}
