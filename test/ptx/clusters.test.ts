// The checks of the interpreter for clusters: each mistake of cluster_faults.cu is reported as what it is, and its correct
// twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { output } from './build.ts'
import { device, orders } from './device.ts'

const [rounds, numbers, threads, warps, sharedBytes] = [4, 128, 96, 2, 2 * 128 * 4 + 64]

/** The sums of the rounds, of each block and each of its warps that read. */
function run(kernel: string, order: number, blocks = 2): Float32Array {
  const x = Float32Array.from({ length: rounds * numbers }, (_, i) => i)
  const y = new Float32Array(2 * warps * numbers).fill(-1)
  const buffers = [x, y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'cluster_faults.ptx'), kernel, blocks, threads, sharedBytes, order, buffers)
  return y
}

const sums = Array.from({ length: 2 * warps * numbers }, (_, i) => 4 * (i % numbers) + 6 * numbers)

const correct = ['share_in_cluster', 'share_after_relaxed_start', 'share_after_plain_meeting'] as const

const unknown =
  /mbarrier (whose init may not have come before: that of block \d of the cluster warp 0 lane 0|that is not initialized|whose init no fence.mbarrier_init follows)/
const leaves =
  /remote access to a block that has exited|block ends (while others may access its shared memory: block \d of the cluster warp \d lane \d|with a bulk copy in flight)/
const overwritten =
  /race: write after (read by block \d of the cluster warp|a bulk copy that nobody waited for)/
const faults = [
  ['share_after_unfenced_start', unknown],
  ['share_without_meeting', unknown],
  ['share_after_meeting_in_block', unknown],
  ['share_and_leave', leaves],
  ['share_arrive_and_leave', leaves],
  ['share_waiting_in_block', overwritten],
  ['share_giving_back_in_block', overwritten],
  [
    'share_without_wait_for_full',
    /read of a bulk copy in flight|read after a bulk copy|write after read|mbarrier that has gone on without the thread/,
  ],
  [
    'share_without_wait_for_empty',
    /more arrivals than the mbarrier expects|write over a bulk copy in flight|write after (read|a bulk copy)/,
  ],
  [
    'share_with_itself',
    /deadlock: .*0 arrivals and 256 bytes are missing at the mbarrier at \d+ of block \d/,
  ],
  ['share_with_no_block', /multicast to blocks that the cluster does not have/],
  ['share_behind_cluster', /mapa to a block that the cluster does not have/],
  ['share_arriving_twice', /barrier.cluster.arrive without a wait after the last one/],
  ['share_without_arriving', /barrier.cluster.wait without an arrive/],
  ['share_of_one_block', /deadlock: .*barrier.cluster that other warps do not reach/],
  [
    'share_without_giving_back',
    /deadlock: .*2 arrivals and 0 bytes are missing at the mbarrier at \d+ of block \d/,
  ],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`clusters${missing && ` (${missing})`}`, () => {
  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    it.each(correct)('runs %s', (kernel) => {
      expect([...run(kernel, order)]).toEqual(sums)
    })
    it.each(faults)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order)).toThrow(message)
    })
  })
  it('names ranks', () => {
    expect([...run('name_ranks', 0, 4).subarray(0, 4)]).toEqual([0, 11, 100, 111])
  })
  it('finds grids that are no multiple of the cluster', () => {
    expect(() => run('share_in_cluster', 0, 3)).toThrow(/the grid is no multiple of the cluster/)
  })
})
