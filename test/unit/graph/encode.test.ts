// What a plan cannot say is told before it is said wrong.

import { expect, it } from 'vitest'
import { makePlan } from '../../../lib/graph/plan.ts'
import { scale } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

it.each([2 ** 32, 2 ** 32 + 16])('an op over %d numbers is refused, not cut to 32 bits', (count) => {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [2 ** 4, count / 2 ** 4])
  trace.output('y', scale(x, { factor: 2 }))
  expect(() => makePlan(trace.graph(), () => 0)).toThrow(
    expect.objectContaining({ code: 'OUT_OF_MEMORY', message: expect.stringContaining(`scale of ${count}`) }),
  )
})
