// Channels first and last are each other's inverse.

import { expect, it } from 'vitest'
import { toChannelsFirst, toChannelsLast } from '../../../lib/pipelines/layout.ts'

const shape = { n: 2, c: 3, h: 2, w: 5 }
const nchw = Float32Array.from({ length: 60 }, (_, i) => i)

it('moves the channels of each pixel together', () => {
  const nhwc = toChannelsLast(nchw, shape)
  // Pixel (1, 2) of the second picture: index 30 + channel * 10 + 7.
  expect([...nhwc.subarray((10 + 7) * 3, (10 + 8) * 3)]).toEqual([37, 47, 57])
})

it('comes back', () => {
  expect(toChannelsFirst(toChannelsLast(nchw, shape), shape)).toEqual(nchw)
})
