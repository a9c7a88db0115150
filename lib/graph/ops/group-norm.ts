// Group normalisation (Wu and He, 2018, equations 1 to 3) over NHWC, whole or only what to multiply and add.

import {
  activationParam,
  defineOp,
  float,
  input,
  int,
  keepFloat,
  type Numbers,
  optional,
  output,
  type Round,
  weight,
} from '../spec.ts'
import { activate } from './activation.ts'

/** One group of one picture: its first element, and how elements and rows lie. */
interface Group {
  readonly first: number
  readonly hw: number
  readonly c: number
  readonly width: number
  readonly eps: number
}

interface Channels {
  readonly x: Numbers
  readonly mean: Numbers | undefined
  readonly variance: Numbers | undefined
  readonly n: number
  readonly hw: number
  readonly c: number
}

/** Writes mean and variance of each channel of x (n, hw, c), where they are wanted. */
export function measureChannels({ x, mean, variance, n, hw, c }: Channels, round: Round): void {
  if (!mean || !variance) return
  const sums = new Float64Array(n * c)
  const each = (add: (i: number, value: number) => number) => {
    sums.fill(0)
    for (let at = 0; at < n * hw * c; at++) {
      const i = Math.floor(at / (hw * c)) * c + (at % c)
      sums[i] = round(sums[i]! + add(i, x[at]!))
    }
    return sums.map((sum) => round(sum / hw))
  }
  mean.set(each((_, value) => value))
  variance.set(each((i, value) => round((value - mean[i]!) ** 2)))
}

/** Mean and 1 / sqrt(var + eps) of `width` channels of as many pixels, from the mean and variance of each. */
function pooled(
  mean: Numbers,
  variance: Numbers,
  { width, eps }: Pick<Group, 'width' | 'eps'>,
  round: Round,
) {
  let sum = 0
  for (const channel of mean) sum = round(sum + channel)
  const all = round(sum / width)
  let squares = 0
  for (let j = 0; j < width; j++)
    squares = round(squares + round(variance[j]! + round((mean[j]! - all) ** 2)))
  return { mean: all, inverse: round(1 / Math.sqrt(squares / width + eps)) }
}

/** Mean, and 1 / sqrt(var + eps). */
function moments(x: Numbers, { first, hw, c, width, eps }: Group, round: Round) {
  let sum = 0
  for (let p = 0; p < hw; p++) for (let j = 0; j < width; j++) sum = round(sum + x[first + p * c + j]!)
  const mean = round(sum / (hw * width))
  let squares = 0
  for (let p = 0; p < hw; p++) {
    for (let j = 0; j < width; j++) squares = round(squares + round((x[first + p * c + j]! - mean) ** 2))
  }
  return { mean, inverse: round(1 / Math.sqrt(squares / (hw * width) + eps)) }
}

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
        const { mean, inverse } = moments(x, { first, hw, c, width, eps }, round)
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

export const groupFactors = defineOp({
  name: 'groupFactors',
  formula:
    'mean, factor = gamma / sqrt(var + eps), shift = beta, of x or of what is known of its channels: group normalisation is (x - mean) * factor + shift; a kernel may move the rounding of mean to shift',
  dims: ['n', 'hw', 'c'],
  operands: {
    /** What is normalised, or the mean and variance of each of its channels: one or the other. */
    x: optional(input('n', 'hw', 'c')),
    channelMean: optional(keepFloat(input('n', 'c'))),
    channelVariance: optional(keepFloat(input('n', 'c'))),
    gamma: weight('vector', 'c'),
    beta: weight('vector', 'c'),
    mean: keepFloat(output('n', 'c')),
    factor: keepFloat(output('n', 'c')),
    shift: keepFloat(output('n', 'c')),
  },
  params: { groups: int(1), eps: float },
  check: ({ c, groups }) =>
    c % groups === 0 ? undefined : `${c} channels do not divide into ${groups} groups`,
  reference(args, round) {
    const { x, channelMean, channelVariance, gamma, beta, mean, factor, shift, n, hw, c, groups, eps } = args
    const width = c / groups
    const momentsFrom = (first: number) => {
      const picture = Math.floor(first / c)
      if (x) return moments(x, { first: picture * hw * c + (first % c), hw, c, width, eps }, round)
      const own = (values: Numbers) => values.subarray(first, first + width)
      return pooled(own(channelMean!), own(channelVariance!), { width, eps }, round)
    }
    for (let first = 0; first < n * c; first += width) {
      const found = momentsFrom(first)
      for (let i = first; i < first + width; i++) {
        mean[i] = found.mean
        factor[i] = round(found.inverse * gamma[i % c]!)
        shift[i] = beta[i % c]!
      }
    }
  },
})
