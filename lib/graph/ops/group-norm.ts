// Group normalisation (Wu and He, 2018, equations 1 to 3) over NHWC.

import { activationParam, defineOp, float, input, int, output, weight } from '../spec.ts'
import { activate } from './activation.ts'

export const groupNorm = defineOp({
  name: 'groupNorm',
  formula:
    'y = f((x - mean) / sqrt(var + eps) * gamma + beta), mean and variance per picture and channel group',
  dims: ['n', 'hw', 'c'],
  operands: {
    x: input('n', 'hw', 'c'),
    gamma: weight('vector', 'c'),
    beta: weight('vector', 'c'),
    y: output('n', 'hw', 'c'),
  },
  params: { groups: int(1), eps: float, activation: activationParam },
  check: ({ c, groups }) =>
    c % groups === 0 ? undefined : `${c} channels do not divide into ${groups} groups`,
  reference({ x, gamma, beta, y, n, hw, c, groups, eps, activation }, round) {
    const width = c / groups
    for (let picture = 0; picture < n; picture++) {
      for (let group = 0; group < groups; group++) {
        const first = picture * hw * c + group * width
        let sum = 0
        for (let p = 0; p < hw; p++) for (let j = 0; j < width; j++) sum = round(sum + x[first + p * c + j]!)
        const mean = round(sum / (hw * width))
        let squares = 0
        for (let p = 0; p < hw; p++) {
          for (let j = 0; j < width; j++)
            squares = round(squares + round((x[first + p * c + j]! - mean) ** 2))
        }
        const inverse = round(1 / Math.sqrt(squares / (hw * width) + eps))
        for (let p = 0; p < hw; p++) {
          for (let j = 0; j < width; j++) {
            const channel = group * width + j
            const unit = round(round(x[first + p * c + j]! - mean) * inverse)
            const scaled = round(round(unit * gamma[channel]!) + beta[channel]!)
            y[first + p * c + j] = round(activate(scaled, activation))
          }
        }
      }
    }
  },
})
