// What a run of the benchmarks leaves behind: a file that tables and charts are made from.

import { readFile, writeFile } from 'node:fs/promises'
import { BenchError } from './errors.ts'
import type { KernelResult } from './kernels/measure.ts'
import type { Machine } from './machine.ts'
import type { Peak } from './peak/peak.ts'
import type { StageResult } from './stages/compare.ts'
import type { StartResult } from './start/measure.ts'

/** Grows when the meaning of a field changes. */
export const resultsFormat = 1

export interface Results {
  readonly format: typeof resultsFormat
  /** ISO 8601. */
  readonly date: string
  readonly machine: Machine
  /** For each number of threads that kernels were measured with. */
  readonly peaks: readonly Peak[]
  readonly kernels: readonly KernelResult[]
  readonly stages: readonly StageResult[]
  readonly starts: readonly StartResult[]
  /** Peers that could not take part, and why. */
  readonly skipped: readonly { readonly peer: string; readonly reason: string }[]
}

export async function writeResults(file: string, results: Results): Promise<void> {
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`)
}

export async function readResults(file: string): Promise<Results> {
  const results = JSON.parse(await readFile(file, 'utf8')) as Results
  if (results.format === resultsFormat) return results
  throw new BenchError(
    `${file} has results of format ${results.format}, this reads ${resultsFormat}.`,
    'Measure again with --json.',
  )
}
