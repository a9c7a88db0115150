// How results of kernels read: time, spread, and speeds as shares of the machine's peak.

import type { Peak } from '../peak/peak.ts'
import { type Column, digits, percent } from '../table.ts'
import type { KernelResult } from './measure.ts'

const gflops = ({ flop, ms }: KernelResult) => flop / ms.median / 1e6
const gbs = ({ bytes, ms }: KernelResult) => bytes / ms.median / 1e6

/** Peaks by number of threads; without one, a share is not known and says so. */
export function kernelColumns(peaks: readonly Peak[]): Column<KernelResult>[] {
  const peakOf = ({ threads }: KernelResult) => peaks.find((peak) => peak.threads === threads)
  const share = (speed: number, peak: number | undefined) =>
    peak === undefined ? 'not measured' : percent(speed / peak)
  return [
    { title: 'kernel', align: 'left', of: (row) => row.kernel },
    { title: 'threads', of: (row) => String(row.threads) },
    { title: 'median ms', of: (row) => digits(row.ms.median) },
    { title: 'quartiles', of: (row) => `${digits(row.ms.lower)} - ${digits(row.ms.upper)}` },
    { title: 'runs', of: (row) => String(row.ms.runs) },
    { title: 'GFLOP/s', of: (row) => (row.flop > 0 ? digits(gflops(row)) : '') },
    { title: 'of FMA peak', of: (row) => (row.flop > 0 ? share(gflops(row), peakOf(row)?.gflops) : '') },
    { title: 'GB/s', of: (row) => digits(gbs(row)) },
    { title: 'of copy peak', of: (row) => share(gbs(row), peakOf(row)?.copyGBs) },
  ]
}
