// What `device` and `precision` mean where no GPU is asked for.

import { describe, expect, it } from 'vitest'
import {
  type DeviceName,
  elementTypeOf,
  matricesOf,
  type Precision,
  takesLargeTiles,
  targetOf,
} from '../../../lib/runtime/target.ts'
import { expectFewWords, hostileValues } from '../hostile-values.ts'

describe('targetOf', () => {
  it('computes in float32 on the CPU', () => {
    expect(targetOf({})).toMatchObject({ name: 'cpu', precision: undefined, matrices: 'stored' })
  })

  it.each(['f16', 'fast'] as const)('refuses %s on the CPU', (precision) => {
    expect(() => targetOf({ device: 'cpu', precision })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: `precision: the CPU computes in float32, "${precision}" is for GPUs. Leave it out, or take "bf16" for speed or "int8" for weights in half the memory.`,
      }),
    )
  })

  it('keeps weights in int8 on the CPU, and there alone', () => {
    expect(targetOf({ precision: 'int8' })).toMatchObject({
      name: 'cpu',
      precision: undefined,
      matrices: 'int8',
    })
    expect(() => targetOf({ device: 'cuda:1', precision: 'int8' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message:
          'precision: "int8" is for the CPU, not for cuda:1. GPUs take "f16", "bf16" or "fast"; for int8 weights leave device out.',
      }),
    )
  })

  it('multiplies in bf16 on CPUs that do', () => {
    const info = { description: 'Some CPU', isa: 'avx512' }
    expect(matricesOf('bf16', () => ({ ...info, bf16: true }))).toBe('bf16')
    expect(() => matricesOf('bf16', () => ({ ...info, bf16: false }))).toThrow(
      expect.objectContaining({
        code: 'DEVICE_UNAVAILABLE',
        message:
          'The kernels in use (avx512, Some CPU) do not multiply in bf16. That takes AVX512-BF16, and on Windows it is not to be had. Leave precision out, or take "int8" for weights in half the memory.',
      }),
    )
  })

  it('has room for large tiles in 1 MB of second-level cache, with vectors that were measured', () => {
    expect(takesLargeTiles({ isa: 'avx512', l2Bytes: 2 ** 20 })).toBe(true)
    expect(takesLargeTiles({ isa: 'avx2', l2Bytes: 5 * 2 ** 18 })).toBe(true)
    expect(takesLargeTiles({ isa: 'avx512', l2Bytes: 2 ** 19 })).toBe(false)
    expect(takesLargeTiles({ isa: 'avx2', l2Bytes: 0 })).toBe(false)
    expect(takesLargeTiles({ isa: 'neon', l2Bytes: 2 ** 24 })).toBe(false)
  })

  it('names the precisions that there are', () => {
    expect(() => targetOf({ device: 'cuda', precision: 'fp8' as Precision })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: 'precision: expected "f16", "bf16", "fast" or "int8", got "fp8".',
      }),
    )
  })

  it.each([...hostileValues, ['a symbol', Symbol('cuda')], ['nothing', null]])(
    'has few words for %s',
    (_, value) => {
      const wrong = { device: value as DeviceName }
      expect(() => targetOf(wrong)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
      expectFewWords(() => targetOf(wrong))
      expectFewWords(() => targetOf({ precision: value as Precision }))
    },
  )

  it('stores fast as f16', () => {
    expect((['f16', 'bf16', 'fast'] as const).map(elementTypeOf)).toEqual(['f16', 'bf16', 'f16'])
  })
})
