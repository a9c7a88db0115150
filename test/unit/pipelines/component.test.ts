// Which optimisations a device and its options ask for.

import { describe, expect, it } from 'vitest'
import { passesFor } from '../../../lib/pipelines/component.ts'
import { cpu } from '../../../lib/runtime/target.ts'

const avx2 = { ...cpu, isa: () => 'avx2' }

describe('passesFor', () => {
  it('takes large tiles where they were measured to gain', () => {
    expect(passesFor(avx2, false)).toMatchObject({ largeTiles: false })
    expect(passesFor({ ...cpu, isa: () => 'avx512' }, false)).toMatchObject({ largeTiles: true })
  })

  it('leaves out what rounds differently where results are to be exact', () => {
    expect(passesFor(avx2, true)).toMatchObject({ winograd: false, strassen: false })
    expect(passesFor(avx2, false)).toMatchObject({ winograd: true, strassen: true })
  })

  it('multiplies in bf16 where matrices are kept in it', () => {
    expect(passesFor(avx2, false)).toMatchObject({ multiplyInBf16: false })
    expect(passesFor({ ...avx2, matrices: 'bf16' }, false)).toMatchObject({ multiplyInBf16: true })
  })
})
