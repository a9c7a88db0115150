// Matrix product with a weight, the bias and what usually follows it.

import {
  activationParam,
  choice,
  defineOp,
  float,
  inPlace,
  input,
  optional,
  output,
  weight,
} from '../spec.ts'
import { activate } from './activation.ts'
import { addProducts, rowOf } from './add-products.ts'
import { normalizedRows } from './layer-norm.ts'

/** How a kernel may compute a product of matrices; `strassen` takes fewer products and rounds differently. */
const algorithm = choice('ProductAlgorithm', ['direct', 'strassen'])

/** What Strassen's algorithm takes: columns and depths in multiples of these, as in kernels/cpu/strassen.h. */
const strassenColumns = 64
const strassenDepth = 8

/** Says what is wrong with a product of n columns and depth k for Strassen's algorithm, if anything. */
export function strassenFault(n: number, k: number): string | undefined {
  if (n % strassenColumns === 0 && k % strassenDepth === 0) return undefined
  return `strassen is for ${strassenColumns} columns and a depth of ${strassenDepth} and multiples of them, these are ${n} and ${k}`
}

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
  params: { activation: activationParam, algorithm },
  check: ({ n, k, algorithm }) => (algorithm === 'strassen' ? strassenFault(n, k) : undefined),
  reference({ x, w, bias, residual, y, m, n, k, activation }, round) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = addProducts(0, { a: rowOf(x, i, k), b: rowOf(w, j, k), count: k }, round)
        if (bias) sum = round(sum + bias[j]!)
        sum = round(activate(sum, activation))
        if (residual) sum = round(sum + residual[i * n + j]!)
        y[i * n + j] = sum
      }
    }
  },
})

/** The columns of a gated layer come in multiples of the widest panel of weights. */
export const gatedColumns = 32

export const linearGeglu = defineOp({
  name: 'linearGeglu',
  formula:
    'y[i, j] = z[i, j] * gelu(z[i, n + j]), z = norm(x) w^T + bias; norm is the layer norm, without gamma and beta nothing',
  dims: ['m', 'n', 'n2', 'k'],
  operands: {
    x: input('m', 'k'),
    gamma: optional(weight('folded', 'k')),
    beta: optional(weight('folded', 'k')),
    w: weight('gated', 'n2', 'k'),
    bias: optional(weight('vector', 'n2')),
    y: output('m', 'n'),
  },
  params: { eps: float, algorithm },
  check({ n, n2, k, algorithm }) {
    if (n2 !== 2 * n) return `w has ${n2} rows, expected ${2 * n}`
    if (n % gatedColumns !== 0) return `${n} columns, expected a multiple of ${gatedColumns}`
    return algorithm === 'strassen' ? strassenFault(n2, k) : undefined
  },
  reference(args, round) {
    const { w, bias, y, m, n, k } = args
    const x = normalizedRows(args, round)
    const column = (i: number, j: number) => {
      const sum = addProducts(0, { a: rowOf(x, i, k), b: rowOf(w, j, k), count: k }, round)
      return bias ? round(sum + bias[j]!) : sum
    }
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        y[i * n + j] = round(column(i, j) * round(activate(column(i, n + j), 'gelu')))
      }
    }
  },
})
