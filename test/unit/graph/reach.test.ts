import { describe, expect, it } from 'vitest'
import { fuse } from '../../../lib/graph/fuse.ts'
import { reachOf } from '../../../lib/graph/reach.ts'
import { add, attention, type Conv2dOptions, conv2d, silu, upsample } from '../../../lib/tensor/functional.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

const rows = 16

const reach = (body: (x: Tensor) => Tensor): number => {
  const trace = new Trace()
  trace.output('y', body(trace.input('x', 'f32', [1, rows, 4, 2])))
  return reachOf(fuse(trace.graph()), rows)
}

let weights = 0
const conv = (x: Tensor, kernel: number, options: Conv2dOptions = {}) =>
  conv2d(x, x.trace.weight(`w${weights++}`, [2, 2, kernel, kernel]), undefined, options)
const conv3 = (x: Tensor) => conv(x, 3, { padding: 1 })
const twice = (x: Tensor) => upsample(x, 2 * x.shape[1]!, 2 * x.shape[2]!)
const half = (x: Tensor) => conv(x, 3, { stride: 2, padding: [0, 0, 1, 1] })

describe('reachOf', () => {
  it.each<[string, (x: Tensor) => Tensor, number]>([
    ['a pixel', (x) => silu(conv(x, 1)), 0],
    ['a 3x3 convolution', conv3, 1],
    ['one of 5x5', (x) => conv(x, 5, { padding: 2 }), 2],
    ['three, one after the other', (x) => conv3(conv3(conv3(x))), 3],
    ['the longer of two ways', (x) => add(conv(x, 1), conv3(conv3(x))), 2],
    // 1 of twice as many rows is not a whole row; nor are 3 of them.
    ['an enlargement', (x) => conv3(twice(x)), 1],
    ['an enlargement and two more', (x) => conv3(conv3(conv3(twice(x)))), 2],
    ['an enlargement of what is wrong', (x) => conv3(twice(conv3(x))), 2],
    // In rows of the strip, of which a result has half.
    ['a halving', half, 2],
    ['a halving of what is wrong', (x) => half(conv3(x)), 2],
    ['a halving with padding 1', (x) => conv(x, 3, { stride: 2, padding: 1 }), 2],
  ])('of %s', (_, body, expected) => {
    expect(reach(body)).toBe(expected)
  })

  it('refuses what sees everything', () => {
    const everything = (x: Tensor) =>
      attention(x.reshape(1, 64, 2), x.reshape(1, 64, 2), x.reshape(1, 64, 2), { heads: 1 })
    expect(() => reach(everything)).toThrow('attention cannot be computed strip by strip')
  })
})
