import { describe, expect, it } from 'vitest'
import { interpret } from '../../../lib/graph/interpret.ts'
import { print } from '../../../lib/graph/print.ts'
import { shareCopies } from '../../../lib/graph/share-copies.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { add, addRowBias, attention, linear, silu, stack, tile } from '../../../lib/tensor/functional.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

/** Two copies of x meet two different contexts. */
function guided() {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [1, 3, 4])
  const context = trace.input('context', 'f32', [2, 5, 4])
  const both = tile(x, 2)
  const h = silu(linear(both, trace.weight('w', [4, 4])))
  const mixed = attention(h, context, context, { heads: 2 })
  trace.output('y', add(h, mixed))
  trace.output('both', both)
  return trace.graph()
}

const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))

const run = (graph: ReturnType<typeof guided>) =>
  interpret(graph, {
    inputs: { x: numbers(12, 1), context: numbers(40, 2) },
    weight: () => numbers(16, 3),
  })

describe('shareCopies', () => {
  it('computes for one copy until the copies differ', () => {
    expect(print(shareCopies(guided()))).toMatchInlineSnapshot(`
      "%0: f32[1, 3, 4] = input x
      %1: f32[2, 5, 4] = input context
      %2: f32[1, 3, 4] = linear(x=%0, w=w)
      %3: f32[1, 3, 4] = activation(x=%2) activation=silu
      %4: f32[2, 3, 4] = tile(x=%3)
      %5: f32[2, 3, 4] = attention(q=%4, k=%1, v=%1) heads=2 scale=0.7071067811865475
      %6: f32[2, 3, 4] = add(a=%4, b=%5)
      %7: f32[2, 3, 4] = tile(x=%0)
      output y = %6
      output both = %7
      "
    `)
  })

  it('changes no result', () => {
    expect(run(verify(shareCopies(guided())))).toEqual(run(verify(guided())))
  })

  /** What becomes of x (2, 3, 4) and b (4, 4). */
  const madeOf = (build: (x: Tensor, b: Tensor) => Tensor) => {
    const trace = new Trace()
    const [x, b] = [trace.input('x', 'f32', [2, 3, 4]), trace.input('b', 'f32', [4, 4])]
    trace.output('y', build(x, b))
    return verify(trace.graph())
  }
  it.each<[string, (x: Tensor, b: Tensor) => Tensor]>([
    ['copies meet rows of their own', (x, b) => addRowBias(tile(x, 2), b)],
    ['copies follow each other in one row', (x) => stack(tile(x, 2), tile(silu(x), 2))],
    ['copies are copied', (x) => silu(tile(tile(x, 2), 3))],
  ])('ends where %s', (_, build) => {
    const graph = madeOf(build)
    const inputs = { x: numbers(24, 1), b: numbers(16, 2) }
    const given = (one: typeof graph) => ({
      inputs: Object.fromEntries(
        one.inputs.map((id) => [one.values[id]!.name, inputs[one.values[id]!.name as 'x' | 'b']]),
      ),
      weight: () => numbers(16, 3),
    })
    const shared = verify(shareCopies(graph))
    expect(interpret(shared, given(shared))).toEqual(interpret(graph, given(graph)))
  })
})
