// Results so large that kernels may write them past the caches: the same bytes as of two halves, which are not.

import { expect, it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { noise, type OpCase, operandsOf, sizeOf, type Values } from '../../lib/selftest/op-case.ts'
import { outputsOf, titleOf } from './harness.ts'
import { runsBf16 } from './runs-bf16.ts'

/** Floats: kLargeResult of kernels/cpu/gemm_epilogue.h. */
const large = 2 ** 23
const given = ['bias', 'residual']
const winograd = { n: 2, k: 3, pad: 1, algorithm: 'winograd4', given } as const

/** Rows of which either half is whole tasks: what Strassen's algorithm adds is the same then. */
const rows = 2 * 168 * 391
const linear = (algorithm: string, inPlace: boolean): OpCase => ({
  ...{ op: 'linear', dims: { m: rows, n: 64, k: 16 }, dtype: 'f16', given, inPlace },
  params: { activation: 'silu', algorithm },
})

const cases: readonly (readonly [OpCase, 'n' | 'm'])[] = [
  [conv({ ...winograd, h: 512, w: 512, c: 3, o: 16 }), 'n'],
  [conv({ ...winograd, h: 512, w: 512, c: 3, o: 16, inPlace: true }), 'n'],
  [conv({ ...winograd, h: 128, w: 64, c: 3, o: 512 }), 'n'],
  [conv({ ...winograd, h: 512, w: 512, c: 3, o: 16, algorithm: 'winograd6' }), 'n'],
  [conv({ n: 2, h: 512, w: 512, c: 3, o: 17, k: 3, pad: 1 }), 'n'],
  [linear('direct', false), 'm'],
  [linear('direct', true), 'm'],
  [linear('strassen', false), 'm'],
  [linear('strassen', true), 'm'],
  [{ ...linear('direct', false), dtype: 'bf16' }, 'm'],
  [conv({ n: 2, h: 512, w: 512, c: 32, o: 16, k: 1, rows: 1, algorithm: 'contraction', inPlace: true }), 'n'],
]

/** The first or the second half of a case's pictures or rows, of which an operand's first dimension counts. */
function half(c: OpCase, dim: string, index: 0 | 1): OpCase {
  const dims = {
    ...c.dims,
    [dim]: c.dims[dim]! / 2,
    ...(dim === 'n' && { rows: Math.ceil(c.dims.rows! / 2) }),
  }
  const parts = operandsOf(c)
    .filter(([, { role, dims }]) => role === 'input' && dims[0] === dim)
    .map(([name]): [string, Values] => {
      const whole = c.inputs![name]!
      const size = whole.length / 2
      return [name, whole.slice(index * size, (index + 1) * size)]
    })
  return { ...c, dims, inputs: { ...c.inputs, ...Object.fromEntries(parts) } }
}

function withInputs(c: OpCase): OpCase {
  const inputs = operandsOf(c)
    .filter(([, { role }]) => role === 'input')
    .map(([name], i): [string, Values] => [name, noise(sizeOf(c, name), i + 1)])
  return { ...c, inputs: Object.fromEntries(inputs) }
}

/** The first numbers that differ, with where they are. */
function differences(actual: Values, expected: Values): string[] {
  const found: string[] = []
  for (let i = 0; i < expected.length && found.length < 5; i++) {
    if (!Object.is(actual[i], expected[i])) found.push(`[${i}] ${actual[i]}, expected ${expected[i]}`)
  }
  return found
}

async function compareWithHalves(c: OpCase, dim: 'n' | 'm', shift: number): Promise<void> {
  expect(sizeOf(c, 'y')).toBeGreaterThanOrEqual(large)
  const options = { matrices: c.dtype === 'bf16' && runsBf16 ? 'bf16' : 'stored' } as const
  const { y } = await outputsOf(c, options, shift)
  const size = y!.length / 2
  for (const index of [0, 1] as const) {
    const { y: expected } = await outputsOf(half(c, dim, index), options)
    expect(differences(y!.subarray(index * size, (index + 1) * size), expected!)).toEqual([])
  }
}

it.each(cases.map(([c, dim]) => [titleOf(c), c, dim] as const))('%s', (_title, c, dim) =>
  compareWithHalves(withInputs(c), dim, 0),
)

it('begins anywhere', () => compareWithHalves(withInputs(linear('direct', false)), 'm', 1))
