// What the matrix products of precision `fast` lose to sums in fp16.

import type { OpName } from '../graph/ops.ts'
import type { Precision } from '../runtime/target.ts'

/**
 * Ops that are matrix products. All others compute in `fast` as in `f16`.
 */
const products: ReadonlySet<OpName> = new Set([
  'linear',
  'linearGeglu',
  'linearNorm',
  'projections',
  'conv2d',
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

/** What `judge` allows for the sums of an op. */
export const lossOf = (op: OpName, precision: Precision): number =>
  precision === 'fast' && products.has(op) ? fastSumLoss : 0
