// Sums of products, in which references spend their time.

import type { Numbers, Round } from '../spec.ts'

/** Numbers of an array that lie `stride` apart. */
export interface Strided {
  readonly of: Numbers
  readonly first: number
  readonly stride: number
}

/** Row `i` of a matrix with `k` columns. */
export const rowOf = (of: Numbers, i: number, k: number): Strided => ({ of, first: i * k, stride: 1 })

/** Products of numbers, one after the other. */
export interface Products {
  readonly a: Strided
  readonly b: Strided
  readonly count: number
}

/**
 * `sum` and all products, one after the other, each rounded, and each sum.
 *
 * A function of its own because V8 optimises what is called often: a loop that runs for seconds within one call stays
 * slow, up to a hundred times, once another rounding or another type of array than before has met it.
 */
export function addProducts(sum: number, products: Products, round: Round): number {
  return round === Math.fround ? addSingle(sum, products) : addRounded(sum, products, round)
}

/** The same loop with a rounding that the compiler knows, and makes one instruction of. */
function addSingle(sum: number, { a, b, count }: Products): number {
  const { of: x, first: xFirst, stride: xStride } = a
  const { of: y, first: yFirst, stride: yStride } = b
  let total = sum
  for (let i = 0; i < count; i++) {
    total = Math.fround(total + Math.fround(x[xFirst + i * xStride]! * y[yFirst + i * yStride]!))
  }
  return total
}

function addRounded(sum: number, { a, b, count }: Products, round: Round): number {
  const { of: x, first: xFirst, stride: xStride } = a
  const { of: y, first: yFirst, stride: yStride } = b
  let total = sum
  for (let i = 0; i < count; i++) {
    total = round(total + round(x[xFirst + i * xStride]! * y[yFirst + i * yStride]!))
  }
  return total
}
