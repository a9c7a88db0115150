import { describe, expect, it } from 'vitest'
import { chooseConvolutions } from '../../../lib/graph/choose-convolution.ts'
import { chooseProducts, productCosts } from '../../../lib/graph/choose-product.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import { opOf } from '../../../lib/graph/ops.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { conv2d, geglu, linear } from '../../../lib/tensor/functional.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

function chosen(shape: readonly number[], layer: (x: Tensor, trace: Trace) => Tensor) {
  const trace = new Trace()
  trace.output('y', layer(trace.input('x', 'f32', shape), trace))
  const graph = verify(chooseProducts(chooseConvolutions(fuse(trace.graph()))))
  return { op: graph.nodes[0]!.op, algorithm: graph.nodes[0]!.params.algorithm }
}

const linearOf = (m: number, n: number, k: number) =>
  chosen([m, k], (x, trace) => linear(x, trace.weight('w', [n, k]))).algorithm

const convolution = (side: number, c: number, o: number, { kernel = 1, stride = 1 } = {}) =>
  chosen([1, side, side, c], (x, trace) => {
    const options = { padding: (kernel - 1) / 2, stride }
    return conv2d(x, trace.weight('w', [o, c, kernel, kernel]), undefined, options)
  }).algorithm

describe('chooseProducts', () => {
  it.each([
    [8192, 320, 320],
    [8192, 320, 1280],
    [512, 1280, 1280],
    [128, 1280, 5120],
    [154, 768, 768],
    [154, 768, 3072],
    // Near the limit, by measurement: 5 to 13 % faster.
    [512, 640, 320],
    [2048, 640, 256],
  ])("takes Strassen's algorithm for %i x %i x %i, as the models have it", (m, n, k) => {
    expect(linearOf(m, n, k)).toBe('strassen')
  })

  it.each([
    [2, 1280, 320],
    [64, 1280, 1280],
    // Near the limit, by measurement: from 5 % faster to 3 % slower.
    [77, 640, 768],
    [77, 1280, 768],
    [64, 1280, 2560],
    [1024, 128, 128],
    [16384, 64, 256],
    [8192, 8, 320],
    [8192, 320, 60],
    [8192, 300, 320],
    [8192, 320, 1284],
  ])(
    'stays direct for %i x %i x %i, where additions cost more than they save, or parts are not even',
    (m, n, k) => {
      expect(linearOf(m, n, k)).toBe('direct')
    },
  )

  it('takes it for a gated layer', () => {
    const layer = chosen([2048, 640], (x, trace) => geglu(linear(x, trace.weight('w', [5120, 640]))))
    expect(layer).toEqual({ op: 'linearGeglu', algorithm: 'strassen' })
  })

  it('takes it for convolutions that are no case for Winograd', () => {
    expect(convolution(64, 960, 320)).toBe('strassen')
    expect(convolution(64, 320, 320, { kernel: 5, stride: 2 })).toBe('strassen')
    expect(convolution(64, 320, 320, { kernel: 3 })).toBe('winograd4')
    expect(convolution(64, 320, 4)).toBe('direct')
  })

  it('leaves other ops alone', () => {
    expect(chosen([2048, 640], (x) => geglu(x))).toEqual({ op: 'geglu', algorithm: undefined })
  })
})

describe('productCosts', () => {
  it('counts seven products where the direct way takes eight', () => {
    const { direct, strassen } = productCosts({ m: 1e6, n: 1e6, k: 1e6 })
    expect(direct).toBe(1e18)
    expect(strassen / direct).toBeGreaterThan(7 / 8)
    expect(strassen / direct).toBeLessThan(7 / 8 + 0.05)
  })
})

describe("the op table's checks", () => {
  it.each([
    ['linear', { m: 4, n: 96, k: 64 }],
    ['linear', { m: 4, n: 64, k: 12 }],
    ['linearGeglu', { m: 4, n: 64, n2: 128, k: 12 }],
  ] as const)('refuse %s of parts that are not even: %o', (op, dims) => {
    const check = opOf(op).check as (args: object) => string | undefined
    expect(check({ ...dims, algorithm: 'strassen' })).toMatch(/strassen is for 64 columns and a depth of 8/)
    expect(check({ ...dims, algorithm: 'direct' })).toBeUndefined()
  })
})
