// Linear layers that a GPU runs in one launch: several of the same rows, or one with the norm that follows it.

import {
  defineOp,
  float,
  inPlace,
  input,
  type Numbers,
  optional,
  output,
  type Round,
  weight,
} from '../spec.ts'
import { layerNorm } from './layer-norm.ts'
import { linear } from './linear.ts'

/** How many layers one op holds. */
export const joinedLayers = 6

const numbers = Array.from({ length: joinedLayers }, (_, i) => i)

type Name<Prefix extends string> = `${Prefix}${0 | 1 | 2 | 3 | 4 | 5}`

const each = <const Prefix extends string, S>(prefix: Prefix, spec: (i: number) => S) =>
  Object.fromEntries(numbers.map((i) => [`${prefix}${i}`, spec(i)])) as Record<Name<Prefix>, S>

/** The first layer is there in any case. */
const maybe = <const S extends Parameters<typeof optional>[0]>(spec: S, i: number) =>
  i === 0 ? spec : optional(spec)

interface Layer {
  readonly x: Numbers
  readonly w: Numbers
  readonly bias: Numbers | undefined
  readonly y: Numbers
}

const runLayer = (layer: Layer, dims: { m: number; n: number; k: number }, round: Round) =>
  linear.reference({ ...layer, ...dims, residual: undefined, activation: 'none' }, round)

export const projections = defineOp({
  name: 'projections',
  formula: 'y_i = x w_i^T + bias_i, layer by layer: those that are there are the first ones',
  dims: ['m', 'n', 'k'],
  operands: {
    x: input('m', 'k'),
    ...each('w', (i) => maybe(weight('matrix', 'n', 'k'), i)),
    ...each('bias', () => optional(weight('vector', 'n'))),
    ...each('y', (i) => maybe(output('m', 'n'), i)),
  },
  params: {},
  reference(args, round) {
    const { x, m, n, k } = args
    for (const i of numbers) {
      const [w, bias, y] = (['w', 'bias', 'y'] as const).map((name) => args[`${name}${i as 0}`])
      if (w && y) runLayer({ x, w, bias, y }, { m, n, k }, round)
    }
  },
})

export const linearNorm = defineOp({
  name: 'linearNorm',
  formula: 'y = x w^T + bias + residual, normed = (y - mean) / sqrt(var + eps) * gamma + beta by row',
  dims: ['m', 'n', 'k'],
  operands: {
    x: input('m', 'k'),
    w: weight('matrix', 'n', 'k'),
    bias: optional(weight('vector', 'n')),
    residual: optional(input('m', 'n')),
    gamma: weight('vector', 'n'),
    beta: weight('vector', 'n'),
    y: inPlace(output('m', 'n'), 'residual'),
    normed: output('m', 'n'),
  },
  params: { eps: float },
  reference({ x, w, bias, residual, gamma, beta, y, normed, m, n, k, eps }, round) {
    linear.reference({ x, w, bias, residual, y, m, n, k, activation: 'none' }, round)
    layerNorm.reference({ x: y, gamma, beta, y: normed, m, c: n, eps }, round)
  },
})
