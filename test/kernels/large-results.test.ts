// Results so large that kernels may write them past the caches: the same bytes as of two halves, which are not.

import { expect, it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { noise, type OpCase, operandsOf, sizeOf, type Values } from '../../lib/selftest/op-case.ts'
import { outputsOf, titleOf } from './harness.ts'

/** Floats: kLargeResult of kernels/cpu/gemm_epilogue.h. */
const large = 2 ** 23
const given = ['bias', 'residual']
const winograd = { n: 2, k: 3, pad: 1, algorithm: 'winograd', given } as const

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
  [conv({ n: 2, h: 512, w: 512, c: 3, o: 17, k: 3, pad: 1 }), 'n'],
  [linear('direct', false), 'm'],
  [linear('direct', true), 'm'],
  [linear('strassen', false), 'm'],
  [linear('strassen', true), 'm'],
]

/** The first or the second half of a case's pictures or rows, of which an operand's first dimension counts. */
function half(c: OpCase, dim: string, index: 0 | 1): OpCase {
  const dims = { ...c.dims, [dim]: c.dims[dim]! / 2, ...(dim === 'n' && { rows: c.dims.rows! / 2 }) }
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

it.each(cases.map(([c, dim]) => [titleOf(c), c, dim] as const))('%s', async (_title, plain, dim) => {
  const c = withInputs(plain)
  expect(sizeOf(c, 'y')).toBeGreaterThanOrEqual(large)
  const { y } = await outputsOf(c)
  const size = y!.length / 2
  for (const index of [0, 1] as const) {
    const { y: expected } = await outputsOf(half(c, dim, index))
    const part = Buffer.from(y!.buffer, index * size * 4, size * 4)
    expect(Buffer.compare(part, Buffer.from(expected!.buffer))).toBe(0)
  }
})
