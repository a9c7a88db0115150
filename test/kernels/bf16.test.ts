// Products of bf16: layers must be as exact over what rounding made of weights and rows as over any other numbers,
// attention at most twice as far from the truth as one that rounds queries, keys, values and weights.

import { describe, expect, it } from 'vitest'
import { opOf } from '../../lib/graph/ops.ts'
import { conv, convolutions } from '../../lib/selftest/cases/conv2d.ts'
import { gatedLinears, joinedLinears, linears } from '../../lib/selftest/cases/linear.ts'
import { attentions } from '../../lib/selftest/cases/others.ts'
import { noise, type OpCase, sizeOf } from '../../lib/selftest/op-case.ts'
import { check, everyFifth, judge, outputsOf, titleOf } from './harness.ts'
import { runsBf16 } from './runs-bf16.ts'
import { throughBf16 } from './through-bf16.ts'

if (!runsBf16) console.warn('products of bf16 are not tested: this machine lacks AVX512-BF16')

/** What a norm in front of a layer makes is rounded, which the references cannot do. */
const plain = ({ given }: OpCase) => !given?.includes('gamma')

const layers: Readonly<Record<string, readonly OpCase[]>> = {
  ...linears,
  gated: gatedLinears.filter(plain),
  joined: joinedLinears.filter(plain),
  // As the case of linear.test.ts, of as many pairs.
  'shared rows': [{ op: 'linear', dims: { m: 180, n: 192, k: 1600 }, params: { activation: 'none' } }],
  // Products that float32 computes by Strassen's algorithm.
  strassen: [
    { op: 'linear', dims: { m: 169, n: 128, k: 328 }, params: { activation: 'silu', algorithm: 'strassen' } },
    { op: 'linear', dims: { m: 700, n: 64, k: 1288 }, params: { activation: 'none', algorithm: 'strassen' } },
  ],
  'conv2d, single pixels': Object.values(convolutions)
    .flat()
    .filter(({ dims }) => dims.kh === 1 && dims.kw === 1),
  'conv2d, others, which stay as they are stored': everyFifth(convolutions['every combination']!),
  'conv2d, by other algorithms': [
    conv({ h: 20, w: 17, c: 64, o: 64, k: 1, algorithm: 'strassen' }),
    // Single pixels with a border, of more channels than a tile is deep.
    conv({ h: 7, w: 10, c: 1200, o: 36, k: 1, pad: 1 }),
    ...[true, false].map((inPlace) =>
      conv({ h: 91, w: 90, c: 16, o: 8, k: 1, rows: 1, algorithm: 'contraction', inPlace }),
    ),
  ],
}

describe.runIf(runsBf16).each(Object.entries(layers))('%s', (_, cases) => {
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c, { matrices: 'bf16' }))
})

interface Head {
  readonly q: Float32Array
  readonly k: Float32Array
  readonly v: Float32Array
  /** Position of an element: row and channel of the head. */
  readonly at: (row: number, l: number) => number
}

/** One query over the keys that it sees, exactly but for what is rounded. */
function attend({ q, k, v, at }: Head, d: number, seen: number, scale: number) {
  const scaled = throughBf16(q.map((x) => x * scale * Math.LOG2E))
  const scores = Array.from({ length: seen }, (_, j) =>
    scaled.reduce((sum, x, l) => sum + x * k[at(j, l)]!, 0),
  )
  const most = Math.max(...scores)
  const weights = Float32Array.from(scores, (score) => 2 ** (score - most))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const rounded = throughBf16(weights)
  return Array.from(
    { length: d },
    (_, l) => rounded.reduce((sum, weight, j) => sum + weight * v[at(j, l)]!, 0) / total,
  )
}

function naiveAttention({ dims, params }: OpCase, [q, k, v]: readonly Float32Array[]): Float32Array {
  const { n, lq, lk, c } = dims as Record<'n' | 'lq' | 'lk' | 'c', number>
  const heads = Number(params!.heads)
  const d = c / heads
  const y = new Float32Array(n * lq * c)
  const [keys, values] = [throughBf16(k!), throughBf16(v!)]
  for (let picture = 0; picture < n; picture++) {
    for (let head = 0; head < heads; head++) {
      const at = (row: number, l: number) => (picture * lk + row) * c + head * d + l
      for (let i = 0; i < lq; i++) {
        const first = (picture * lq + i) * c + head * d
        const query = q!.subarray(first, first + d)
        const seen = params!.mask === 'causal' ? Math.min(lk, i + 1) : lk
        y.set(attend({ q: query, k: keys, v: values, at }, d, seen, Number(params!.scale)), first)
      }
    }
  }
  return y
}

function exactAttention(c: OpCase, inputs: Record<'q' | 'k' | 'v', Float32Array>): Float64Array {
  const y = new Float64Array(sizeOf(c, 'y'))
  opOf(c.op).reference({ ...c.dims, ...c.params, ...inputs, y } as never, (value) => value)
  return y
}

const inBf16 = (c: OpCase): OpCase => ({ ...c, params: { ...c.params, arithmetic: 'bf16' } })

describe.runIf(runsBf16)('attention', () => {
  it.each(attentions.map((c) => [titleOf(inBf16(c)), c] as const))('%s', async (_title, given) => {
    const { q, k } = given.inputs as Record<'q' | 'k', Float32Array>
    const v = noise(sizeOf(given, 'v'), 4)
    const scale = Math.fround(Number(given.params!.scale))
    const inF32 = { ...given, inputs: { q, k, v }, params: { ...given.params, scale } }
    const c = inBf16(inF32)
    const { y } = await outputsOf(c)
    judge(y!, exactAttention(c, { q, k, v }), naiveAttention(c, [q, k, v]), 1)
    // It did round.
    expect(y).not.toEqual((await outputsOf(inF32)).y)
  })
})
