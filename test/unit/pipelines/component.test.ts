// Which optimisations a device and its options ask for.

import { describe, expect, it } from 'vitest'
import { passesFor } from '../../../lib/pipelines/component.ts'
import { cpu } from '../../../lib/runtime/target.ts'

describe('passesFor', () => {
  it('leaves out what rounds differently where results are to be exact', () => {
    expect(passesFor(cpu, true)).toMatchObject({ winograd: false, strassen: false })
    expect(passesFor(cpu, false)).toMatchObject({ winograd: true, strassen: true })
  })

  it('multiplies in bf16 where matrices are kept in it', () => {
    expect(passesFor(cpu, false)).toMatchObject({ multiplyInBf16: false })
    expect(passesFor({ ...cpu, matrices: 'bf16' }, false)).toMatchObject({ multiplyInBf16: true })
  })
})
