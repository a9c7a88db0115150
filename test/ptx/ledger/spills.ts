// Registers that do not fit go to local memory and back, in the middle of the arithmetic. No kernel may do that but
// those listed here, and these no more than the ledger says.

import type { Ledger } from './ledger.ts'

interface KnownSpill {
  readonly kernel: string
  readonly target: string
  readonly reason: string
}

export const knownSpills: readonly KnownSpill[] = [
  {
    kernel: 'conv2d_128x160',
    target: 'sm_75 f16',
    reason:
      'copies go through registers on sm_75, four for each 16 bytes: beside 160 sums and the offsets of four patches ' +
      'they take more than 255. A narrower tile would waste a sixth of the products of 320 channels.',
  },
]

const figures = ['spillStores', 'spillLoads', 'localBytes'] as const

/** Spills that are not known, or more than `known` says: kernel, target, figure, and both values. */
export function newSpills(known: Pick<Ledger, 'resources'>, now: Pick<Ledger, 'resources'>): string[] {
  return Object.entries(now.resources).flatMap(([kernel, targets]) =>
    Object.entries(targets).flatMap(([target, values]) => {
      const isKnown = knownSpills.some((spill) => spill.kernel === kernel && spill.target === target)
      return figures.flatMap((figure) => {
        const allowed = (isKnown && known.resources[kernel]?.[target]?.[figure]) || 0
        const value = values[figure] ?? 0
        return value > allowed ? [`${kernel} on ${target}: ${figure} was ${allowed}, is ${value}`] : []
      })
    }),
  )
}
