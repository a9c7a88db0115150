// Half precision reaches every activation and nothing that must stay float32.

import { describe, expect, it } from 'vitest'
import { interpret } from '../../../lib/graph/interpret.ts'
import { lowerPrecision } from '../../../lib/graph/lower-precision.ts'
import { operandsOf } from '../../../lib/graph/uses.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { add, scale, schedulerStep, tile } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

/** Latents that a model and the step itself read, and an output that is an activation. */
function step() {
  const trace = new Trace()
  const latents = trace.input('latents', 'f32', [1, 2, 2, 4])
  const context = trace.input('context', 'f32', [2, 2, 2, 4])
  const coefficients = trace.input('coefficients', 'f32', [10])
  const model = add(tile(scale(latents, { factor: 2 }), 2), context)
  trace.output('latents', schedulerStep({ latents, model, coefficients }).latents)
  trace.output('model', model)
  return trace.graph()
}

describe('lowerPrecision', () => {
  const graph = verify(lowerPrecision(step(), 'f16'))
  const dtypesOf = (op: string) =>
    graph.nodes
      .filter((node) => node.op === op)
      .map((node) => operandsOf(node).map(({ value }) => graph.values[value]!.dtype))

  it('keeps float32 where the op table says so', () => {
    expect(dtypesOf('scale')).toEqual([['f32', 'f16']])
    expect(dtypesOf('schedulerStep')).toEqual([['f32', 'f16', 'f32', 'f32']])
  })

  it('gives all other activations the half type', () => {
    expect(dtypesOf('tile')).toEqual([['f16', 'f16']])
    expect(dtypesOf('add')).toEqual([['f16', 'f16', 'f16']])
  })

  it('converts what JavaScript writes and reads', () => {
    expect(dtypesOf('narrow')).toEqual([['f32', 'f16']])
    expect(dtypesOf('widen')).toEqual([['f16', 'f32']])
    for (const id of [...graph.inputs, ...graph.outputs.map(({ value }) => value)]) {
      expect(graph.values[id]!.dtype).toBe('f32')
    }
  })

  it('computes the same', () => {
    const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i))
    const inputs = { latents: numbers(16), context: numbers(32), coefficients: numbers(10) }
    const weight = () => new Float32Array()
    expect(interpret(graph, { inputs, weight })).toEqual(interpret(step(), { inputs, weight }))
  })
})
