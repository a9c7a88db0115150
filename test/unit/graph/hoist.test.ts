import { describe, expect, it } from 'vitest'
import { hoist } from '../../../lib/graph/hoist.ts'
import { interpret } from '../../../lib/graph/interpret.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { add, linear, silu } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

function graph() {
  const trace = new Trace()
  const [fixed, varying] = [trace.input('fixed', 'f32', [2, 3]), trace.input('varying', 'f32', [2, 4])]
  const kept = linear(fixed, trace.weight('a', [4, 3]))
  trace.output('y', add(linear(varying, trace.weight('b', [4, 4])), kept))
  trace.output('z', silu(kept))
  return trace.graph()
}

const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))
const weight = (name: string) => numbers(name === 'a' ? 12 : 16, 3)

describe('hoist', () => {
  const { before, loop } = hoist(graph(), new Set(['fixed']))

  it('computes before the loop what fixed inputs alone decide, but no output', () => {
    expect(verify(before).nodes.map((node) => node.op)).toEqual(['linear'])
    expect(verify(loop).nodes.map((node) => node.op)).toEqual(['linear', 'add', 'activation'])
    expect(loop.inputs.map((id) => loop.values[id]!.name)).toEqual(['varying', 'handed over: hoisted 0'])
  })

  it('changes no result', () => {
    const inputs = { fixed: numbers(6, 1), varying: numbers(8, 2) }
    const prepared = interpret(before, { inputs, weight })
    expect(interpret(loop, { inputs: { ...inputs, ...prepared }, weight })).toEqual(
      interpret(graph(), { inputs, weight }),
    )
  })
})
