// Layer normalisation (Ba, Kiros and Hinton, 2016, equation 4) of each row.

import { defineOp, float, inPlace, input, type Numbers, output, type Round, weight } from '../spec.ts'

export const layerNorm = defineOp({
  name: 'layerNorm',
  formula: 'y = (x - mean) / sqrt(var + eps) * gamma + beta, mean and variance per row',
  dims: ['m', 'c'],
  operands: {
    x: input('m', 'c'),
    gamma: weight('vector', 'c'),
    beta: weight('vector', 'c'),
    y: inPlace(output('m', 'c'), 'x'),
  },
  params: { eps: float },
  reference({ x, gamma, beta, y, m, c, eps }, round) {
    for (let i = 0; i < m; i++) {
      let sum = 0
      for (let j = 0; j < c; j++) sum = round(sum + x[i * c + j]!)
      const mean = round(sum / c)
      let squares = 0
      for (let j = 0; j < c; j++) squares = round(squares + round((x[i * c + j]! - mean) ** 2))
      const inverse = round(1 / Math.sqrt(squares / c + eps))
      for (let j = 0; j < c; j++) {
        const unit = round(round(x[i * c + j]! - mean) * inverse)
        y[i * c + j] = round(round(unit * gamma[j]!) + beta[j]!)
      }
    }
  },
})

interface Rows {
  readonly x: Numbers
  readonly gamma: Numbers | undefined
  readonly beta: Numbers | undefined
  readonly m: number
  readonly k: number
  readonly eps: number
}

/** What a layer multiplies: its rows, or their norm where it has one in front. */
export function normalizedRows({ x, gamma, beta, m, k, eps }: Rows, round: Round): Numbers {
  if (!gamma || !beta) return x
  const y = new Float64Array(m * k)
  layerNorm.reference({ x, gamma, beta, y, m, c: k, eps }, round)
  return y
}
