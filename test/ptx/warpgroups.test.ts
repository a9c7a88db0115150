// The checks of the interpreter for products of warpgroups: each mistake of warpgroup_faults.cu is reported as what it is,
// and its correct twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { bitsOf } from '../../lib/selftest/half.ts'
import { output } from './build.ts'
import { device, orders } from './device.ts'

const [rows, depth, sharedBytes] = [64, 64, 2 * 64 * 128]

// Small numbers, all products of which are exact.
const a = Float32Array.from({ length: rows * depth }, (_, i) => ((i * 7) % 31) - 15)
const b = Float32Array.from({ length: rows * depth }, (_, i) => ((i * 5) % 23) - 11)

/** a b^T as a kernel has it. */
function run(kernel: string, order = 0, threads = 128, columns = rows): Float32Array {
  const x = Uint16Array.from([...a, ...b], (value) => bitsOf('f16', value))
  const y = new Float32Array(rows * columns).fill(-1)
  const buffers = [x, y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'warpgroup_faults.ptx'), kernel, 1, threads, sharedBytes, order, buffers)
  return y
}

const product = Array.from({ length: rows * rows }, (_, i) => {
  const [row, column] = [Math.floor(i / rows) * depth, (i % rows) * depth]
  return a.subarray(row, row + depth).reduce((sum, value, k) => sum + value * b[column + k]!, 0)
})

/** b times the first columns of a and b, side by side. */
const acrossDepth = (columns: number) =>
  Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns) * depth, i % columns]
    const factor = (k: number) => (column < depth ? a[k * depth + column]! : b[(k - 1) * depth + column]!)
    return b.subarray(row, row + depth).reduce((sum, value, k) => sum + value * factor(k), 0)
  })

/** b a^T */
const mirrored = Array.from(
  { length: rows * rows },
  (_, i) => product[(i % rows) * rows + Math.floor(i / rows)]!,
)

const correct = [
  ['multiply_and_wait', product],
  ['wait_for_first_group', product],
  ['multiply_over_sums', product],
  ['multiply_registers', acrossDepth(72)],
  ['multiply_across', acrossDepth(64)],
  ['multiply_registers_along', mirrored],
  ['multiply_registers_in_two_groups', mirrored],
  ['multiply_registers_around_loop', mirrored],
  ['overwrite_behind_columns', acrossDepth(40)],
  ['multiply_one_panel', acrossDepth(40)],
  ['multiply_two_panels', acrossDepth(80)],
  ['multiply_uninitialized', product.map(() => Number.NaN)],
] as const

const race = /race(: (read after write|write after read)| within a warp: read after write)/
const faults = [
  [
    'multiply_without_publishing',
    /product of what no fence.proxy.async follows, written by warp \d lane \d+/,
  ],
  [
    'multiply_with_late_publishing',
    /product (without a barrier after the fence.proxy.async of|of what no fence.proxy.async follows, written by) warp \d/,
  ],
  ['multiply_without_barrier', race],
  ['multiply_without_fence', /accumulators that were touched since the last wgmma.fence/],
  ['multiply_again_without_fence', /accumulators that were touched since the last wgmma.fence/],
  ['multiply_without_commit', /register of a product in flight/],
  ['multiply_without_wait', /register of a product in flight/],
  ['wait_for_wrong_group', /register of a product in flight/],
  ['multiply_in_two_shapes', /accumulators of products of another shape in flight/],
  ['leave_products_behind', /warp ends with a product in flight/],
  ['overwrite_matrix', /write over what a product in flight reads/],
  ['copy_over_matrix', /write over what a product in flight reads/],
  ['overwrite_matrix_without_barrier', race],
  ['multiply_in_some_lanes', /instruction of a warpgroup executed by a part of the warp/],
  ['multiply_in_some_warps', /instruction that other warps of the warpgroup do not reach/],
  ['wait_in_other_warps', /warps of a warpgroup execute different instructions/],
  ['multiply_by_lanes_apart', /lanes name different matrices/],
  ['multiply_by_warps_apart', /warps of a warpgroup name different matrices/],
  ['multiply_behind_end', /shared access out of bounds/],
  ['multiply_of_other_swizzle', /only matrices with a swizzle of 128 bytes are known/],
  ['multiply_from_middle_of_rows', /begins in the middle of eight rows/],
  ['multiply_outside_rows', /a matrix leaves its swizzled rows/],
  ['multiply_of_other_stride', /stride of a swizzled matrix is no multiple of its eight rows/],
  ['multiply_with_base_offset', /only matrices without a base offset are known/],
  ['multiply_registers_written_behind_fence', /registers of A that were written since the last wgmma.fence/],
  ['multiply_registers_written_in_flight', /register of a product in flight/],
  ['multiply_panels_apart', /the panels of a swizzled matrix are no multiple of its eight rows apart/],
  ['multiply_two_panels_apart', /the panels of a swizzled matrix are no multiple of its eight rows apart/],
  ['overwrite_last_columns', /write over what a product in flight reads/],
  ['multiply_from_inside_rows', /a matrix leaves its swizzled rows/],
  ['multiply_with_unused_bits', /unused bits of a matrix descriptor are not 0/],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`products of warpgroups${missing && ` (${missing})`}`, () => {
  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    it.each(correct)('runs %s', (kernel, expected) => {
      expect([...run(kernel, order, 128, expected.length / rows)]).toEqual(expected)
    })
    it.each(faults)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order)).toThrow(message)
    })
    it('finds fewer than four warps', () => {
      expect(() => run('multiply_and_wait', order, 96)).toThrow(/no four warps for a warpgroup/)
    })
  })
})
