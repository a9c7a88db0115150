// Registers that do not fit go to local memory and back, in the middle of the arithmetic. No kernel may do that but
// those listed here, and these no more than the ledger says.

import type { Ledger } from './ledger.ts'

export interface KnownSpill {
  readonly kernel: string
  readonly target: string
  readonly reason: string
}

export const knownSpills: readonly KnownSpill[] = []

const figures = ['spillStores', 'spillLoads', 'localBytes'] as const

/**
 * Spills that are not known, or more than `known` says: kernel, target, figure, and both values.
 *
 * @param allowed the known ones, which may stay as they are
 */
export function newSpills(
  known: Pick<Ledger, 'resources'>,
  now: Pick<Ledger, 'resources'>,
  allowed: readonly KnownSpill[] = knownSpills,
): string[] {
  return Object.entries(now.resources).flatMap(([kernel, targets]) =>
    Object.entries(targets).flatMap(([target, values]) => {
      const isKnown = allowed.some((spill) => spill.kernel === kernel && spill.target === target)
      return figures.flatMap((figure) => {
        const limit = (isKnown && known.resources[kernel]?.[target]?.[figure]) || 0
        const value = values[figure] ?? 0
        return value > limit ? [`${kernel} on ${target}: ${figure} was ${limit}, is ${value}`] : []
      })
    }),
  )
}
