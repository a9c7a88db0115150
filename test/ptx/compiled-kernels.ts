// What was compiled, by the names of its kernels.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GpuPrecision } from '../../lib/runtime/target.ts'
import { ptxPath } from './device.ts'

/** Kernels of an architecture but for those that only trap, for which hosts have others. */
export function kernelsOf(architecture: number, precision: GpuPrecision): ReadonlySet<string> {
  const folder = ptxPath(`sm_${architecture}`, precision)
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith('.ptx'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const entries = sources.flatMap((source) => source.split('.visible .entry ').slice(1))
  return new Set(entries.filter((entry) => !/\btrap;/.test(entry)).map((entry) => /^\w+/.exec(entry)![0]))
}
