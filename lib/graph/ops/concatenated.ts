// What reads two values side by side as if they were one, so that nobody writes them so (elide-concats.ts).

import {
  activationParam,
  defineOp,
  float,
  inPlace,
  input,
  int,
  type Numbers,
  optional,
  output,
  weight,
} from '../spec.ts'
import { concat } from './elementwise.ts'
import { groupNorm } from './group-norm.ts'
import { linear } from './linear.ts'

/** Where GPUs may change over from one value to the other: behind whole steps along the depth, and whole vectors of channels. */
export const concatDepth = 64

interface Halves {
  readonly a: Numbers
  readonly b: Numbers
  readonly m: number
  readonly ca: number
  readonly cb: number
}

function joined({ a, b, m, ca, cb }: Halves): Float64Array {
  const y = new Float64Array(m * (ca + cb))
  concat.reference({ a, b, y, m, ca, cb, c: ca + cb }, (value) => value)
  return y
}

export const concatGroupNorm = defineOp({
  name: 'concatGroupNorm',
  formula: 'y = f(group normalisation of [a, b] along the channels)',
  dims: ['n', 'hw', 'ca', 'cb', 'c'],
  operands: {
    a: input('n', 'hw', 'ca'),
    b: input('n', 'hw', 'cb'),
    gamma: weight('vector', 'c'),
    beta: weight('vector', 'c'),
    y: output('n', 'hw', 'c'),
  },
  params: { groups: int(1), eps: float, activation: activationParam },
  check({ ca, cb, c, groups }) {
    if (c !== ca + cb) return `${ca} and ${cb} channels do not make ${c}`
    if (ca % concatDepth !== 0) return `${ca} channels in front, expected a multiple of ${concatDepth}`
    return c % groups === 0 ? undefined : `${c} channels do not divide into ${groups} groups`
  },
  reference(args, round) {
    groupNorm.reference({ ...args, x: joined({ ...args, m: args.n * args.hw }) }, round)
  },
})

export const concatLinear = defineOp({
  name: 'concatLinear',
  formula: 'y[i] = [a[i], b[i]] w^T + bias + residual[i]',
  dims: ['m', 'n', 'ca', 'cb', 'k'],
  operands: {
    a: input('m', 'ca'),
    b: input('m', 'cb'),
    w: weight('matrix', 'n', 'k'),
    bias: optional(weight('vector', 'n')),
    residual: optional(input('m', 'n')),
    y: inPlace(output('m', 'n'), 'residual'),
  },
  params: {},
  check({ ca, cb, k }) {
    if (k !== ca + cb) return `${ca} and ${cb} channels do not make ${k}`
    if (ca % concatDepth === 0 && cb % 8 === 0) return undefined
    return `${ca} and ${cb} channels, expected multiples of ${concatDepth} and of 8`
  },
  reference(args, round) {
    linear.reference({ ...args, x: joined(args), activation: 'none', algorithm: 'direct' }, round)
  },
})
