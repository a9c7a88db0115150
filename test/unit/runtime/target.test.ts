// What `device` and `precision` mean where no GPU is asked for.

import { describe, expect, it } from 'vitest'
import { elementTypeOf, type Precision, targetOf } from '../../../lib/runtime/target.ts'

describe('targetOf', () => {
  it('computes in float32 on the CPU', () => {
    expect(targetOf({})).toMatchObject({ name: 'cpu', precision: undefined })
  })

  it.each(['f16', 'bf16', 'fast'] as const)('refuses %s on the CPU', (precision) => {
    expect(() => targetOf({ device: 'cpu', precision })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `precision: the CPU computes in float32, "${precision}" is for GPUs.`,
      }),
    )
  })

  it('names the precisions that there are', () => {
    expect(() => targetOf({ device: 'cuda', precision: 'fp8' as Precision })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: 'precision: expected "f16", "bf16" or "fast", got "fp8".',
      }),
    )
  })

  it('stores fast as f16', () => {
    expect((['f16', 'bf16', 'fast'] as const).map(elementTypeOf)).toEqual(['f16', 'bf16', 'f16'])
  })
})
