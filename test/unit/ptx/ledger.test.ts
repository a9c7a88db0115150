// How the ledger reads the compiler, and what it calls worse.

import { describe, expect, it } from 'vitest'
import { compare } from '../../ptx/ledger/compare.ts'
import type { Figures } from '../../ptx/ledger/ledger.ts'
import { parsePtxas } from '../../ptx/ledger/ptxas.ts'
import { spills } from '../../ptx/ledger/spills.ts'

const log = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'dynamic_threshold' for 'sm_80'
ptxas info    : Function properties for dynamic_threshold
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 26 registers, used 1 barriers, 1040 bytes smem, 400 bytes cmem[0]
ptxas info    : Compile time = 12.1 ms
ptxas info    : Compiling entry function 'conv2d_128x160' for 'sm_75'
ptxas info    : Function properties for conv2d_128x160
    24 bytes stack frame, 52 bytes spill stores, 72 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 24 bytes cumulative stack size
`

describe('parsePtxas', () => {
  it('reads what each kernel takes', () => {
    expect(Object.fromEntries(parsePtxas(log))).toEqual({
      dynamic_threshold: { registers: 26, spillStores: 0, spillLoads: 0, localBytes: 0, sharedBytes: 1040 },
      conv2d_128x160: { registers: 255, spillStores: 52, spillLoads: 72, localBytes: 24, sharedBytes: 0 },
    })
  })
  it('does not take silence for thrift', () => {
    expect(() => parsePtxas("Compiling entry function 'add' for 'sm_80'")).toThrow(
      'says nothing about registers',
    )
  })
})

const ledger = (figures: Figures, kernel = 'add', target = 'sm_80 f16') => ({
  ...{ code: {}, launches: {}, resources: { [kernel]: { [target]: figures } } },
})

describe('compare', () => {
  it('lets 5 % pass', () => {
    expect(compare(ledger({ registers: 100 }), ledger({ registers: 105 }))).toEqual({ worse: [], better: [] })
  })
  it('names kernel, target, figure and values', () => {
    const { worse } = compare(ledger({ registers: 100 }), ledger({ registers: 106 }))
    expect(worse).toEqual(['add on sm_80 f16: registers was 100, is 106'])
  })
  it('takes less for better, but less occupancy for worse', () => {
    const before = ledger({ registers: 100, occupancy: 0.5 })
    const { worse, better } = compare(before, ledger({ registers: 50, occupancy: 0.25 }))
    expect(worse).toEqual(['add on sm_80 f16: occupancy was 0.5, is 0.25'])
    expect(better).toEqual(['add on sm_80 f16: registers was 100, is 50'])
  })
  it('sees what was not there before', () => {
    expect(compare(ledger({}), ledger({ localBytes: 8 })).worse).toEqual([
      'add on sm_80 f16: localBytes was 0, is 8',
    ])
  })
  it('compares launches and machine code too', () => {
    const of = (integer: number, bytes: number) => ({
      ...{ code: { 'sm_80 f16': { bytes } }, resources: {} },
      launches: { 'add 640': { add: { 'sm_80 f16': { integer } } } },
    })
    expect(compare(of(10, 100), of(20, 200)).worse).toEqual([
      'machine code on sm_80 f16: bytes was 100, is 200',
      'add of add 640 on sm_80 f16: integer was 10, is 20',
    ])
  })
})

describe('spills', () => {
  it('finds every kernel that has some', () => {
    expect(spills(ledger({ registers: 255 }))).toEqual([])
    expect(spills(ledger({ spillStores: 8, localBytes: 16 }))).toEqual([
      'add on sm_80 f16: spillStores is 8',
      'add on sm_80 f16: localBytes is 16',
    ])
  })
})
