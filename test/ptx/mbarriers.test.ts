// The checks of the interpreter for mbarriers and named barriers: each mistake of mbarrier_faults.cu is reported as what it
// is, and its correct twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { output } from './build.ts'
import { device, orders } from './device.ts'

const [size, threads, sharedBytes] = [128, 64, 1024]

/** y, after a launch on x = 0, 1, 2... of one block. */
function run(kernel: string, order: number): Float32Array {
  const x = Float32Array.from({ length: size }, (_, i) => i)
  const y = new Float32Array(size).fill(-1)
  const buffers = [x, y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'mbarrier_faults.ptx'), kernel, 1, threads, sharedBytes, order, buffers)
  return y
}

const correct = [
  'ring_of_stages',
  'ring_elects',
  'ring_looks_first',
  'ring_inits_again',
  'meet_by_state',
  'meet_apart',
  'meet_while_one_leaves',
  'arrive_and_meet',
] as const

const race = /race: (read after write|write after (read|write)) by warp \d lane \d+/
// Who goes on alone may be seen where the other waits for what is long over.
const alone = new RegExp(`${race.source}|mbarrier that has gone on without the thread|deadlock: 32 arrivals`)
const faults = [
  ['ring_without_init', /mbarrier that is not initialized, address \d+ of 1024/],
  [
    'ring_without_barrier',
    /mbarrier (whose init may not have come before: that of warp 0 lane 0|that is not initialized), address \d+/,
  ],
  ['ring_misaligned', /misaligned mbarrier, address 4/],
  ['ring_inits_twice', /init of what is an mbarrier already, address 0/],
  ['ring_without_wait_for_full', alone],
  ['ring_without_wait_for_empty', alone],
  ['ring_arrives_before_writing', race],
  ['ring_arrives_before_reading', race],
  ['ring_never_full', /deadlock: .*32 arrivals and 0 bytes are missing at the mbarrier at (0|16)/],
  ['ring_never_empty', /deadlock: .*32 arrivals and 0 bytes are missing at the mbarrier at (0|16)/],
  ['ring_of_too_many', /more arrivals than the mbarrier expects, address 0/],
  ['ring_relaxed', race],
  ['ring_elects_arriving_apart', race],
  ['ring_elects_waiting_apart', race],
  ['ring_of_wrong_parity', /deadlock: .*32 arrivals and 0 bytes are missing at the mbarrier at (0|16)/],
  ['ring_reads_mbarrier', /ordinary access to an mbarrier, address 0/],
  ['ring_writes_mbarrier', /ordinary access to an mbarrier, address 0/],
  ['ring_invalidates_in_use', /inval of an mbarrier in use/],
  ['arrive_and_meet_late', race],
  ['meet_with_other_count', /warps bring different numbers of threads to a barrier|deadlock: barrier/],
  ['meet_with_odd_count', /barrier of no such number of threads/],
  ['meet_at_no_barrier', /barrier of no such number/],
  ['meet_with_too_few', /deadlock: barrier that other warps of the block do not reach/],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`warps that meet in part${missing && ` (${missing})`}`, () => {
  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    it.each(correct)('runs %s', (kernel) => {
      expect([...run(kernel, order)]).toEqual(Array.from({ length: size }, (_, i) => i ^ 31))
    })
    it.each(faults)('finds what is wrong with %s', (kernel, message) => {
      expect(() => run(kernel, order)).toThrow(message)
    })
  })
})
