// Occupancy by hand: what limits each of these follows from the tables of the CUDA programming guide.

import { describe, expect, it } from 'vitest'
import { occupancy, residentBlocks } from '../../ptx/ledger/occupancy.ts'

const cases = [
  // 64 warps of 8 take all; 32 registers of 64 warps are exactly 65536.
  { what: 'warps', architecture: 80, threads: 256, registers: 32, sharedBytes: 0, blocks: 8 },
  {
    what: 'warps of a smaller processor',
    architecture: 75,
    threads: 256,
    registers: 32,
    sharedBytes: 0,
    blocks: 4,
  },
  // 40 registers of a warp are 1280 of 16384: 12 warps in each part, not 51 in all.
  { what: 'registers of a part', architecture: 80, threads: 128, registers: 40, sharedBytes: 0, blocks: 12 },
  // 246 are handed out as 248: 7936 of a warp, two in each part.
  { what: 'registers', architecture: 80, threads: 128, registers: 246, sharedBytes: 0, blocks: 2 },
  { what: 'places for blocks', architecture: 86, threads: 32, registers: 16, sharedBytes: 0, blocks: 16 },
  // 54 KB and 1 KB reserved: twice that is more than 100 KB, and less than 164.
  { what: 'shared memory', architecture: 86, threads: 128, registers: 246, sharedBytes: 55296, blocks: 1 },
  { what: 'registers again', architecture: 80, threads: 128, registers: 246, sharedBytes: 55296, blocks: 2 },
  // Nothing is reserved on sm_75.
  { what: 'all shared memory', architecture: 75, threads: 128, registers: 80, sharedBytes: 32768, blocks: 2 },
  {
    what: 'more than there is',
    architecture: 89,
    threads: 128,
    registers: 80,
    sharedBytes: 101 << 10,
    blocks: 0,
  },
] as const

describe('occupancy', () => {
  it.each(cases)(
    'is limited by $what: $blocks blocks on sm_$architecture',
    ({ architecture, blocks, ...needs }) => {
      expect(residentBlocks(architecture, needs)).toBe(blocks)
    },
  )
  it('is the share of warps', () => {
    expect(occupancy(80, { threads: 128, registers: 246, sharedBytes: 0 })).toBe(8 / 64)
    expect(occupancy(86, { threads: 128, registers: 246, sharedBytes: 0 })).toBe(8 / 48)
  })
  it('names what it knows', () => {
    expect(() => residentBlocks(100, { threads: 32, registers: 16, sharedBytes: 0 })).toThrow(
      'sm_100 is not among 75, 80, 86, 89, 90, 120',
    )
  })
})
