import { describe, expect, it } from 'vitest'
import { interpret } from '../../../lib/graph/interpret.ts'
import type { Numbers } from '../../../lib/graph/spec.ts'
import { type Norms, poolNorms, probe } from '../../../lib/pipelines/pooled-norms.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

const channels = 4

/** What the op gives for (rows, 1, channels). */
function normsOf(x: Float32Array, gamma: Float32Array, beta: Float32Array): Norms {
  const trace = new Trace()
  const [hw, c] = [x.length / channels, channels]
  const made = trace.emit('groupFactors', {
    dims: { n: 1, hw, c },
    operands: {
      x: trace.input('x', 'f32', [1, hw, c]),
      gamma: trace.weight('gamma', [c]),
      beta: trace.weight('beta', [c]),
    },
    params: { groups: 2, eps: 1e-6 },
    outputs: { mean: [1, c], factor: [1, c], shift: [1, c] },
  })
  for (const [name, tensor] of Object.entries(made)) trace.output(`norm 0 ${name}`, tensor)
  const weights: Record<string, Numbers> = { gamma, beta }
  const outputs = interpret(trace.graph(), { inputs: { x }, weight: (name) => weights[name]! })
  return Object.fromEntries(Object.entries(outputs).map(([name, data]) => [name, Float32Array.from(data)]))
}

/** Rows that differ much from top to bottom, far from zero. */
const x = Float32Array.from({ length: 40 * channels }, (_, i) => 50 + Math.sin(i * i) + Math.floor(i / 80))
const rows = (first: number, end: number) => x.subarray(first * channels, end * channels)
const beta = Float32Array.of(0.5, -1, 2, 0)

describe('poolNorms', () => {
  it.each([
    ['some', Float32Array.of(1, -2, 0.25, 3)],
    ['a zero among', Float32Array.of(1, 0, 0.25, 3)],
  ])('gives the norms of the whole from overlapping pieces, with %s factors', (_, gamma) => {
    const norms = (first: number, end: number) => normsOf(rows(first, end), gamma, beta)
    const pieces = [
      { norms: norms(0, 16), rows: 16 },
      { norms: norms(12, 28), rows: 16 },
      { norms: norms(24, 40), rows: 16 },
      { norms: norms(12, 16), rows: -4 },
      { norms: norms(24, 28), rows: -4 },
    ]
    const pooled = poolNorms(pieces, normsOf(probe(channels), gamma, beta))
    const whole = norms(0, 40)
    const applied = (own: Norms, value: number) =>
      gamma.map((_, i) => {
        const of = (part: string) => own[`norm 0 ${part}`]![i]!
        return (value - of('mean')) * of('factor') + of('shift')
      })
    for (const value of x.subarray(0, 9)) {
      const expected = applied(whole, value)
      // Means of about 50 come in float32, 2e-6 next to each other.
      for (const [i, y] of applied(pooled, value).entries()) {
        expect(Math.abs(y - expected[i]!)).toBeLessThanOrEqual(4e-6 * Math.max(1, Math.abs(gamma[i]!)))
      }
    }
  })
})
