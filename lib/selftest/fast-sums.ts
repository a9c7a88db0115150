// What the matrix products of precision `fast` lose to sums in fp16.

import type { OpName } from '../graph/ops.ts'
import type { GpuPrecision } from '../runtime/target.ts'
import type { OpCase, Values } from './op-case.ts'

/**
 * Ops that are matrix products. All others compute in `fast` as in `f16`.
 */
const products: ReadonlySet<OpName> = new Set([
  'linear',
  'linearGeglu',
  'projections',
  'conv2d',
  'upsampleConv2d',
])

/** Products that are summed before a sum is rounded to fp16, and before it is added to a float32 sum. */
const [rounded, promoted] = [8, 32]
/** At most half of the last place: what rounding to fp16 changes, as a share of the number. */
const unit = 2 ** -11

/**
 * The RMS error of a sum as a share of its RMS, for products that know nothing of each other (RMS `s`): 4.5e-4.
 *
 * After j products a sum is `s sqrt(j)`, and rounding changes it by up to `unit` of that, evenly spread: by
 * `unit sqrt(j / 3) s`. A step of 32 is rounded after 8, 16, 24 and 32, which is `unit s sqrt((8 + 16 + 24 + 32) / 3)` in all;
 * its own size is `s sqrt(32)`. Steps are added up in float32, so that errors and sums grow alike with their number: the
 * share is `unit sqrt(80 / 96)`.
 *
 * Whatever the products are, a sum is wrong by at most `4 unit` = 2^-9 of the sum of their absolute values, while no sum of
 * 32 products leaves fp16 (65504) and none is so small that fp16 has no whole number of digits for it (2^-14).
 */
export const fastSumLoss: number = (() => {
  let squares = 0
  for (let j = rounded; j <= promoted; j += rounded) squares += j / 3
  return unit * Math.sqrt(squares / promoted)
})()

/** What the sums of an op lose, of rows as they are. */
export const lossOf = (op: OpName, precision: GpuPrecision): number =>
  precision === 'fast' && products.has(op) ? fastSumLoss : 0

/**
 * Where a norm is folded into the weights, rows are normalised behind their products: what is summed is larger than the result
 * by mean over deviation, and so is what it loses. The RMS of that over all rows.
 */
function growthOf({ dims, given, params }: OpCase, data: ReadonlyMap<string, Values>): number {
  if (!given?.includes('gamma')) return 1
  const [m, k, x] = [dims.m!, dims.k!, data.get('x')!]
  let squares = 0
  for (let row = 0; row < m; row++) {
    const numbers = Array.from(x.subarray(row * k, (row + 1) * k))
    const mean = numbers.reduce((sum, value) => sum + value, 0) / k
    const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / k
    squares += (variance + mean ** 2) / (variance + (params!.eps as number))
  }
  return Math.sqrt(squares / m)
}

/** What `judge` allows for the sums of a case. */
export const sumLossOf = (c: OpCase, data: ReadonlyMap<string, Values>, precision: GpuPrecision): number =>
  lossOf(c.op, precision) && lossOf(c.op, precision) * growthOf(c, data)
