// Matrix product with a weight, the bias and what usually follows it.

import { activationParam, defineOp, inPlace, input, optional, output, weight } from '../spec.ts'
import { activate } from './activation.ts'

export const linear = defineOp({
  name: 'linear',
  formula: 'y = f(x w^T + bias) + residual',
  dims: ['m', 'n', 'k'],
  operands: {
    x: input('m', 'k'),
    w: weight('matrix', 'n', 'k'),
    bias: optional(weight('vector', 'n')),
    residual: optional(input('m', 'n')),
    y: inPlace(output('m', 'n'), 'residual'),
  },
  params: { activation: activationParam },
  reference({ x, w, bias, residual, y, m, n, k, activation }, round) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let l = 0; l < k; l++) sum = round(sum + round(x[i * k + l]! * w[j * k + l]!))
        if (bias) sum = round(sum + bias[j]!)
        sum = round(activate(sum, activation))
        if (residual) sum = round(sum + residual[i * n + j]!)
        y[i * n + j] = sum
      }
    }
  },
})
