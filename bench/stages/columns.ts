// How results of stages read: times beside tintype's of the same group, memory, and whether the numbers agree.

import type { Peak } from '../peak/peak.ts'
import { type Column, digits, gigabytes, milliseconds, percent } from '../table.ts'
import type { StageResult } from './compare.ts'

/** How many times as long as tintype one took, measured in turns with it. */
export function timesTintype(row: StageResult, rows: readonly StageResult[]): number {
  const ours = rows.find(
    (other) =>
      other.contender === 'tintype' &&
      (['stage', 'model', 'size', 'batch', 'threads', 'steps', 'arithmetic', 'group'] as const).every(
        (key) => other[key] === row[key],
      ),
  )
  return ours === undefined ? Number.NaN : row.ms.median / ours.ms.median
}

const notMeasured = 'not measured'

export function stageColumns(rows: readonly StageResult[], peaks: readonly Peak[]): Column<StageResult>[] {
  const gflops = ({ flop, ms }: StageResult) => (flop === undefined ? undefined : flop / ms.median / 1e6)
  const share = (row: StageResult) => {
    const speed = gflops(row)
    const peak = peaks.find(({ threads }) => threads === row.threads)?.gflops
    if (speed === undefined) return ''
    return peak === undefined ? notMeasured : percent(speed / peak)
  }
  return [
    {
      title: 'stage',
      align: 'left',
      of: ({ stage, steps, arithmetic }) =>
        [stage, ...(steps ? [`${steps} steps`] : []), ...(arithmetic ? [arithmetic] : [])].join(', '),
    },
    { title: 'size', of: (row) => (row.stage === 'text' ? '' : String(row.size)) },
    { title: 'batch', of: (row) => String(row.batch) },
    { title: 'threads', of: (row) => String(row.threads) },
    { title: 'contender', align: 'left', of: (row) => row.contender },
    { title: 'median', of: (row) => milliseconds(row.ms.median) },
    { title: 'quartiles', of: (row) => `${milliseconds(row.ms.lower)} - ${milliseconds(row.ms.upper)}` },
    { title: 'runs', of: (row) => String(row.ms.runs) },
    { title: 'x tintype', of: (row) => timesTintype(row, rows).toFixed(2) },
    { title: 'GFLOP/s', of: (row) => (row.flop === undefined ? '' : digits(gflops(row)!)) },
    { title: 'of FMA peak', of: share },
    { title: 'start to first result', of: (row) => milliseconds(row.coldMs) },
    {
      title: 'peak RSS',
      of: (row) => (row.peakRssBytes === undefined ? notMeasured : gigabytes(row.peakRssBytes)),
    },
    {
      title: 'differs by',
      of: ({ contender, relativeL2 }) =>
        contender === 'tintype'
          ? ''
          : relativeL2 === undefined
            ? 'gives no output'
            : relativeL2.toExponential(1),
    },
  ]
}
