// Registers that do not fit go to local memory and back, in the midst of the arithmetic. No kernel may do that.

import type { Ledger } from './ledger.ts'

const figures = ['spillStores', 'spillLoads', 'localBytes'] as const

/** Every spill: kernel, target, figure and bytes of a thread. */
export function spills({ resources }: Pick<Ledger, 'resources'>): string[] {
  return Object.entries(resources).flatMap(([kernel, targets]) =>
    Object.entries(targets).flatMap(([target, values]) =>
      figures.flatMap((figure) =>
        values[figure] ? [`${kernel} on ${target}: ${figure} is ${values[figure]}`] : [],
      ),
    ),
  )
}
