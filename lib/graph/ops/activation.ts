// The pointwise non-linearities of the models, alone and as the last step of other ops.

import { type Activation, activationParam, defineOp, inPlace, input, output } from '../spec.ts'

/**
 * The error function, to double precision: W. J. Cody, "Rational Chebyshev approximations for the error
 * function", 1969, is what libraries use; here its Taylor series and continued fraction, which need no tables.
 */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    // erf(x) = 2/sqrt(pi) * sum_n (-1)^n x^(2n+1) / (n! (2n+1))
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  // erfc(x) = exp(-x^2) / (sqrt(pi) * (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + ...)))))
  let fraction = a
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction))
}

export function activate(x: number, kind: Activation): number {
  if (kind === 'silu') return x / (1 + Math.exp(-x))
  if (kind === 'gelu') return 0.5 * x * (1 + erf(x * Math.SQRT1_2))
  if (kind === 'quick_gelu') return x / (1 + Math.exp(-1.702 * x))
  return x
}

export const activation = defineOp({
  name: 'activation',
  formula: 'y = f(x); silu x*sigmoid(x), gelu x*Phi(x) with the exact erf, quick_gelu x*sigmoid(1.702x)',
  dims: ['count'],
  operands: { x: input('count'), y: inPlace(output('count'), 'x') },
  params: { activation: activationParam },
  reference({ x, y, count, activation }, round) {
    for (let i = 0; i < count; i++) y[i] = round(activate(x[i]!, activation))
  },
})

export const geglu = defineOp({
  name: 'geglu',
  formula: 'y[i, j] = x[i, j] * gelu(x[i, n + j]) (Shazeer, "GLU Variants Improve Transformer", 2020)',
  dims: ['m', 'n', 'n2'],
  operands: { x: input('m', 'n2'), y: output('m', 'n') },
  params: {},
  check: ({ n, n2 }) => (n2 === 2 * n ? undefined : `x has ${n2} columns, expected ${2 * n}`),
  reference({ x, y, m, n, n2 }, round) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        y[i * n + j] = round(x[i * n2 + j]! * round(activate(x[i * n2 + n + j]!, 'gelu')))
      }
    }
  },
})
