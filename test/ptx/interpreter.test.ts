// The checks of the interpreter: each mistake of faults.cu is reported as what it is, and its correct twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { output } from './build.ts'
import { device, orders } from './device.ts'

const threads = 128
const sharedBytes = threads * 4

/** y, after a launch on x = 0, 1, 2..., of one block or of several that share these threads. */
function run(kernel: string, order = 0, blocks = 1): Float32Array {
  const x = Float32Array.from({ length: threads }, (_, i) => i)
  const y = new Float32Array(threads).fill(-1)
  const buffers = [x, y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'faults.ptx'), kernel, blocks, threads / blocks, sharedBytes, order, buffers)
  return y
}

const correct: readonly (readonly [string, (i: number) => number])[] = [
  ['reverse_with_barrier', (i) => threads - 1 - i],
  ['swap_in_warp', (i) => i ^ 1],
  ['shuffle_all', (i) => i ^ 1],
  ['copy_and_wait', (i) => i % 64],
  ['add_up_with_barriers', () => (threads * (threads - 1)) / 2],
  ['read_uninitialized', () => Number.NaN],
  ['load_matrices', (i) => i % 32],
]

const faults = [
  ['reverse_without_barrier', /race: read after write|race: write after read/],
  ['overwrite_without_barrier', /race: (read after write|write after read)/],
  ['write_same_place', /race within a warp: write after write/],
  ['swap_in_warp_without_sync', /race within a warp: read after write by warp \d lane 1,/],
  ['read_behind_end', /global access of 4 bytes out of bounds, lane 31: .*buffer 0 \+ 512 of 512/],
  ['write_before_begin', /global access of 4 bytes out of bounds, lane 0: .*buffer 1 \+ -4 of 512/],
  ['read_shared_behind_end', /shared access out of bounds 4 bytes at 512 of 512/],
  ['load_misaligned', /misaligned global access of 8 bytes/],
  ['barrier_for_some_lanes', /bar.sync reached by a part of the warp/],
  ['barrier_for_some_warps', /barrier that other warps of the block do not reach/],
  ['shuffle_with_absent_lanes', /shfl.sync names lanes that are not here/],
  ['copy_without_wait', /read of a copy in flight/],
  ['copy_without_barrier', /race(: write after read|: read after write| within a warp: read after write)/],
  ['overwrite_copy', /write over a copy in flight/],
  ['leave_copy_behind', /warp ends with a copy in flight/],
  ['add_up_before_begin', /race: (atomic operation|write) after write by|race within a warp/],
  ['add_up_without_end', /race: (read|write) after (read|write) by|race within a warp: read after write/],
  ['add_up_in_warp', /race within a warp: read after write by/],
  ['run_into_trap', /block \(0, 0, 0\) warp 3, ptx line \d+: trap/],
  ['copy_misaligned', /misaligned global access of 16 bytes/],
  ['load_matrices_with_lanes_outside', /ldmatrix: lane 16 has no row, and no valid address/],
] as const

/** Results that blocks hand over to the last of them. */
const betweenBlocks = [
  ['hand_over_without_barrier', /race between blocks: (read|write) after (read|write) by block number \d/],
  ['hand_over_without_release', /race between blocks: read after write by block number \d/],
  ['hand_over_without_acquire', /race between blocks: read after write by block number \d/],
  ['hand_over_without_count', /race between blocks: write of what several blocks read/],
  ['hand_over_without_reset', /leaves a counter that is not 0/],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`the interpreter${missing && ` (${missing})`}`, () => {
  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    it.each(correct)('runs %s', (kernel, expected) => {
      expect([...run(kernel, order)]).toEqual(Array.from({ length: threads }, (_, i) => expected(i)))
    })
    it.each(faults)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order)).toThrow(message)
    })

    it('runs hand_over_to_last', () => {
      const expected = Array.from({ length: threads }, (_, i) => 1000 + threads - 1 - i)
      expect([...run('hand_over_to_last', order, 4)]).toEqual(expected)
    })
    it.each(betweenBlocks)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order, 4)).toThrow(message)
    })
  })

  it('says where a fault is', () => {
    expect(() => run('read_behind_end')).toThrow(
      /^read_behind_end block \(0, 0, 0\) warp 3, ptx line \d+: .*\n {4}ld.global.f32/,
    )
  })
})
