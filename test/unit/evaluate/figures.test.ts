// The measures that need no model.

import { expect, it } from 'vitest'
import type { RgbImage } from '../../../lib/image/input.ts'
import { frameDistance, rmsDifference } from '../../../models/default/evaluate/figures.ts'

const side = 16
const gray = [150, 150, 150]

/** A gray picture with a red square that leaves a border of `border` pixels. */
function framed(border: number): RgbImage {
  const data = new Uint8Array(side * side * 3).fill(150)
  for (let y = border; y < side - border; y++) {
    for (let x = border; x < side - border; x++) data.set([222, 44, 44], (y * side + x) * 3)
  }
  return { data, width: side, height: side }
}

it('judges a background by the outermost four pixels', () => {
  expect(frameDistance(framed(4), gray)).toBe(0)
  expect(frameDistance(framed(3), gray)).toBeGreaterThan(12)
  expect(frameDistance(framed(4), [222, 44, 44])).toBeGreaterThan(50)
})

it('measures the root mean square difference', () => {
  const picture = (...data: number[]) => ({ data: Uint8Array.from(data), width: 1, height: 1 })
  expect(rmsDifference(picture(0, 0, 0), picture(3, 0, 0))).toBeCloseTo(Math.sqrt(3))
  expect(rmsDifference(picture(9, 8, 7), picture(9, 8, 7))).toBe(0)
})
