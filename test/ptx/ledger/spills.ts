// Registers that do not fit go to local memory and back, in the middle of the arithmetic. No kernel may do that but
// those listed here, and these no more than the ledger says.

import type { Ledger } from './ledger.ts'

export interface KnownSpill {
  readonly kernel: string
  readonly target: string
  readonly reason: string
}

/** In fast the rows of A for a whole step are in registers, and sums in fp16 beside those in float32. */
const inFast = (targets: readonly string[], tiles: readonly string[], reason: string): KnownSpill[] =>
  targets.flatMap((target) =>
    tiles.flatMap((tile) =>
      ['linear', 'linear_geglu', 'conv2d'].map((op) => ({
        ...{ kernel: `${op}_${tile}`, target: `${target} fast` },
        reason,
      })),
    ),
  )

export const knownSpills: readonly KnownSpill[] = [
  {
    ...{ kernel: 'linear_128x160', target: 'sm_75 f16' },
    reason: 'two registers are missing, since copies take some on sm_75 and moments of rows as well',
  },
  ...['sm_75 f16', 'sm_75 fast'].map((target) => ({
    ...{ kernel: 'gemm_any_geglu_64x64', target },
    reason:
      'four blocks share the registers of a processor; only layers of odd depths, which no model has, come here',
  })),
  ...inFast(
    ['sm_75', 'sm_80', 'sm_86', 'sm_89', 'sm_90', 'sm_120'],
    ['128x160'],
    'a few of 255 registers are missing; of GeForce cards, which gain by fast, only those of sm_75 choose it',
  ),
  ...inFast(
    ['sm_75'],
    ['128x128', '64x128'],
    'one or two registers are missing, since copies take some on sm_75',
  ),
]

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
