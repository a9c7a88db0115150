// Which optimisations a device and its options ask for.

import { describe, expect, it } from 'vitest'
import { passesFor } from '../../../lib/pipelines/component.ts'
import { cpu } from '../../../lib/runtime/target.ts'

const small = { ...cpu, largeTiles: () => false }

describe('passesFor', () => {
  it('takes large tiles where the CPU gains by them', () => {
    expect(passesFor(small, false)).toMatchObject({ largeTiles: false })
    expect(passesFor({ ...cpu, largeTiles: () => true }, false)).toMatchObject({ largeTiles: true })
  })

  it('leaves out what rounds differently where results are to be exact', () => {
    expect(passesFor(small, true)).toMatchObject({ winograd: false, strassen: false })
    expect(passesFor(small, false)).toMatchObject({ winograd: true, strassen: true })
  })

  it('multiplies in bf16 where matrices are kept in it', () => {
    expect(passesFor(small, false)).toMatchObject({ multiplyInBf16: false })
    expect(passesFor({ ...small, matrices: 'bf16' }, false)).toMatchObject({ multiplyInBf16: true })
  })
})
