// What kernels cost without being run on a GPU: nothing may grow unseen. `npm run ledger` writes the figures anew.

import { beforeAll, describe, expect, inject, it } from 'vitest'
import { type Comparison, compare } from './ledger/compare.ts'
import { readLedger } from './ledger/file.ts'
import type { Ledger } from './ledger/ledger.ts'
import { compilerVersion, measure } from './ledger/measure.ts'
import { spills } from './ledger/spills.ts'

const missing = inject('ptxMissing')
const known = readLedger()
const compiler = missing ? '' : compilerVersion()
const otherCompiler =
  compiler === known.compiler ? '' : `nvcc is ${compiler}, the ledger was written with ${known.compiler}`

describe.skipIf(missing)(`the ledger${missing && ` (${missing})`}`, () => {
  let now: Ledger
  beforeAll(() => {
    now = measure()
  })

  it('has no kernel that spills registers', () => {
    expect(spills(now)).toEqual([])
  })

  describe.skipIf(otherCompiler)(`against the last one${otherCompiler && ` (${otherCompiler})`}`, () => {
    let changes: Comparison
    beforeAll(() => {
      changes = compare(known, now)
    })
    it('has no figure that is worse by more than 5 %', () => {
      expect(changes.worse).toEqual([])
    })
    it('has no figure that is better by more than 5 %: npm run ledger', () => {
      expect(changes.better).toEqual([])
    })
  })
})
