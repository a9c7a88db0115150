// The checks of the interpreter for warpgroups that bring what others multiply: each mistake of pipeline_faults.cu is
// reported as what it is, and its correct twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { bitsOf } from '../../lib/selftest/half.ts'
import { output } from './build.ts'
import { device, orders } from './device.ts'

const [rows, depth, rounds] = [64, 64, 5]
const sharedBytes = 2 * 2 * rows * 128 + 64

// Small numbers, all products of which are exact.
const a = Float32Array.from({ length: rows * depth }, (_, i) => ((i * 7) % 31) - 15)
const b = Float32Array.from({ length: rows * depth }, (_, i) => ((i * 5) % 23) - 11)

/** Rows of eight chunks of eight halves, which lie where a swizzle of 128 bytes has them. */
function swizzled(matrix: Float32Array): Uint16Array {
  const halves = new Uint16Array(matrix.length)
  matrix.forEach((value, i) => {
    const [row, column] = [Math.floor(i / depth), i % depth]
    const chunk = Math.floor(column / 8) ^ (row % 8)
    halves[row * depth + chunk * 8 + (column % 8)] = bitsOf('f16', value)
  })
  return halves
}

const x = Uint16Array.from([...swizzled(a), ...swizzled(b)])

function run(kernel: string, order: number): Float32Array {
  const y = new Float32Array(rows * rows).fill(-1)
  const buffers = [x.slice(), y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'pipeline_faults.ptx'), kernel, 1, 256, sharedBytes, order, buffers)
  return y
}

/** Of two blocks, two tiles and two warpgroups. */
function runInCluster(kernel: string, order: number): Float32Array {
  const y = new Float32Array(8 * rows * rows).fill(-1)
  const buffers = [x.slice(), y].map((array) => new Uint8Array(array.buffer))
  const bytes = 3 * 2 * rows * 128 + 2 * rows * rows * 4 + 64
  device().launch(join(output, 'pipeline_faults.ptx'), kernel, 2, 288, bytes, order, buffers)
  return y
}

const products = Array.from({ length: rows * rows }, (_, i) => {
  const [row, column] = [Math.floor(i / rows) * depth, (i % rows) * depth]
  return rounds * a.subarray(row, row + depth).reduce((sum, value, k) => sum + value * b[column + k]!, 0)
})

const correct = [
  'multiply_bulk',
  'multiply_two_bulks',
  'multiply_copies',
  'multiply_stores',
  'multiply_bulk_keeping_one',
  'multiply_copies_keeping_one',
  'multiply_bulk_expected_first',
  'multiply_bulk_of_one_thread',
  'multiply_bulk_over_zeros',
] as const

const overwritten =
  /write over what a product in flight reads of|race: write after read by (block \d of the cluster )?warp \d lane 0/
const faults = [
  [
    'bulk_that_all_wait_for',
    /mbarrier that goes on though its last phase may still be waited for by warp \d lane 0|gone on without the thread/,
  ],
  ['bulk_without_expecting', /phase of an mbarrier that does not expect the bytes of a bulk copy in flight/],
  ['bulk_of_more_than_expected', /bulk copies of more bytes than the mbarrier expects/],
  ['bulk_of_less_than_expected', /deadlock: .*0 arrivals and 16 bytes are missing at the mbarrier at 32768/],
  [
    'bulk_without_wait_for_full',
    /(read of a bulk copy in flight, of|race: read after a bulk copy that nobody waited for, of) the mbarrier at \d+|race: write after read by warp|mbarrier that has gone on without the thread/,
  ],
  [
    'bulk_without_wait_for_empty',
    /write (over a bulk copy in flight, of|after a bulk copy that nobody waited for, of) the mbarrier at \d+|more arrivals than the mbarrier expects/,
  ],
  ['bulk_given_back_early', overwritten],
  ['bulk_given_back_with_products', overwritten],
  ['copies_given_back_early', overwritten],
  ['stores_given_back_early', overwritten],
  ['bulk_of_odd_size', /bulk copy whose target, source or size is no multiple of 16 bytes/],
  ['bulk_from_behind_end', /global access of 16 bytes out of bounds, lane 0: .*buffer 0 \+ 16384 of 16384/],
  ['bulk_to_behind_end', /shared access out of bounds 16 bytes at|ordinary access to an mbarrier/],
  ['bulk_without_init_fence', /mbarrier whose init no fence.mbarrier_init follows, address \d+/],
  ['bulk_left_behind', /block ends with a bulk copy in flight, of the mbarrier at \d+/],
  ['copies_without_publishing', /product of what no fence.proxy.async follows, written by warp \d lane \d+/],
  ['stores_without_publishing', /product of what no fence.proxy.async follows, written by warp \d lane \d+/],
  [
    'copies_published_late',
    /product (without a barrier after the fence.proxy.async of|of what no fence.proxy.async follows, written by) warp \d/,
  ],
  [
    'stores_published_late',
    /product (without a barrier after the fence.proxy.async of|of what no fence.proxy.async follows, written by) warp \d/,
  ],
  ['copies_without_wait', /(read of|write over) a copy in flight from warp \d lane \d+/],
  [
    'bulk_over_zeros_unpublished',
    /bulk copy over what no fence.proxy.async follows, written by warp \d lane/,
  ],
  ['bulk_with_registers_of_some', /instruction that other warps of the warpgroup do not reach/],
  ['bulk_overwritten', /write over a bulk copy in flight, of the mbarrier at \d+/],
  [
    'read_bulk_without_wait',
    /(read of a bulk copy in flight|race: read after a bulk copy that nobody waited for), of the mbarrier at/,
  ],
] as const

const inCluster = [
  [
    'cluster_without_meeting_of_group',
    /race( within a warp)?: (read after write|write after read) by block \d of the cluster warp \d/,
  ],
  [
    'cluster_without_last_meeting',
    /remote access to a block that has exited|block ends while others may access its shared memory: block \d/,
  ],
  ['cluster_given_back_early', overwritten],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`pipelines of warpgroups${missing && ` (${missing})`}`, () => {
  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    it.each(correct)('runs %s', (kernel) => {
      expect([...run(kernel, order)]).toEqual(products)
    })
    it.each(faults)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order)).toThrow(message)
    })
    it('runs multiply_in_cluster', () => {
      const expected = Array.from({ length: 8 * rows * rows }, (_, i) => products[i % products.length]!)
      expect([...runInCluster('multiply_in_cluster', order)]).toEqual(expected)
    })
    it.each(inCluster)('finds what is wrong with %s', (kernel, message) => {
      expect(() => runInCluster(kernel, order)).toThrow(message)
    })
    it('runs read_bulk_and_wait', () => {
      const copied = new Float32Array(x.buffer.slice(0, 1024))
      expect(new Uint32Array(run('read_bulk_and_wait', order).buffer, 0, 256)).toEqual(
        new Uint32Array(copied.buffer),
      )
    })
  })
})
