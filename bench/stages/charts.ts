// Charts of a comparison: time and memory of every contender, one pair for each stage and size.

import type { Chart } from '../chart.ts'
import type { Contender } from '../peers/names.ts'
import { gigabytes, milliseconds } from '../table.ts'
import { timesTintype } from './columns.ts'
import type { StageResult } from './compare.ts'

const titles: Readonly<Record<StageResult['stage'], string>> = {
  text: 'Text encoder',
  unet: 'UNet step',
  'vae-decode': 'VAE decoder',
  'vae-encode': 'VAE encoder',
  image: 'Picture',
}

/** tintype's own row once, of the first group; the others as measured. */
function once(rows: readonly StageResult[]): StageResult[] {
  const seen = new Set<Contender>()
  return rows.filter(({ contender }) => !seen.has(contender) && seen.add(contender))
}

const byCondition = ({ stage, size, batch, threads, steps, arithmetic }: StageResult) =>
  [
    stage,
    ...(stage === 'text' ? [] : [size]),
    `batch${batch}`,
    `threads${threads}`,
    ...(steps ? [`steps${steps}`] : []),
    ...(arithmetic ? [arithmetic] : []),
  ].join('-')

/**
 * By name of the file without its ending; machines are told apart by instruction set. Stages that nobody was measured
 * against have no chart.
 */
export function stageCharts(rows: readonly StageResult[], isa: string): Map<string, Chart> {
  const charts = new Map<string, Chart>()
  for (const condition of new Set(rows.map(byCondition))) {
    const name = `${condition}-${isa}`
    const compared = once(rows.filter((row) => byCondition(row) === condition))
    if (compared.length < 2) continue
    const { stage, size, batch, threads, steps, model, arithmetic } = compared[0]!
    const place = stage === 'text' ? '' : `, ${size}x${size}`
    const inSteps = steps ? `, ${steps} steps` : ''
    const inBf16 = arithmetic ? `, ${arithmetic}` : ''
    const title = `${titles[stage]}${place}, batch ${batch}${inSteps}${inBf16}, ${isa}`
    const conditions = `${model}, ${arithmetic ?? 'float32'} arithmetic, ${threads} threads`
    charts.set(name, {
      title,
      note: `Time as a multiple of tintype's, in turns; shorter is better. ${conditions}`,
      bars: compared
        .map((row) => ({ row, value: timesTintype(row, rows) }))
        .toSorted((a, b) => a.value - b.value)
        .map(({ row, value }) => ({
          label: row.contender,
          value,
          text: `${value.toFixed(2)}x  ${milliseconds(row.ms.median)}`,
          ours: row.contender === 'tintype',
        })),
    })
    const weighed = compared.flatMap((row) =>
      row.peakRssBytes === undefined ? [] : [{ row, bytes: row.peakRssBytes }],
    )
    if (weighed.length < 2) continue
    charts.set(`${name}-memory`, {
      title: `${title}: memory`,
      note: `Peak resident memory of the whole process; shorter is better. ${conditions}`,
      bars: weighed
        .toSorted((a, b) => a.bytes - b.bytes)
        .map(({ row, bytes }) => ({
          label: row.contender,
          value: bytes,
          text: gigabytes(bytes),
          ours: row.contender === 'tintype',
        })),
    })
  }
  return charts
}
