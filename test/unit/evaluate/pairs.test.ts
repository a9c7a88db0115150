// Which pairs are held out, as Python's zlib.crc32 says.

import { expect, it } from 'vitest'
import { colors, evenly, heldOutPairs, isHeldOut } from '../../../models/default/evaluate/pairs.ts'

// zlib.crc32(b"<key>/<color>") % 10 of the second column's list is 0, of the third's is not
it.each([
  ['1st-place-medal', ['pink'], ['red', 'black']],
  ['3rd-place-medal', ['blue'], ['pink']],
  ['abacus', ['gray', 'orange', 'pink'], ['blue']],
  ['red-apple', [], ['red', 'blue']],
  ['cat-face', [], ['light blue']],
])('%s', (key, held, seen) => {
  for (const color of held) expect(isHeldOut(key, color)).toBe(true)
  for (const color of seen) expect(isHeldOut(key, color)).toBe(false)
})

it('never holds out white', () => {
  const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`)
  expect(keys.some((key) => isHeldOut(key, 'white'))).toBe(false)
  expect(keys.some((key) => isHeldOut(key, 'blue'))).toBe(true)
})

it('lists pairs object by object, colours in the order of the file', () => {
  const objects = [{ key: '1st-place-medal' }, { key: 'red-apple' }, { key: 'abacus' }]
  const listed = heldOutPairs(objects).map(({ object, color }) => `${object.key}/${color}`)
  expect(listed.filter((pair) => pair.startsWith('abacus'))).toEqual([
    'abacus/gray',
    'abacus/orange',
    'abacus/pink',
  ])
  expect(listed[0]).toBe('1st-place-medal/pink')
})

it('knows twelve colours', () => {
  expect(Object.keys(colors)).toHaveLength(12)
})

it('spreads evenly', () => {
  expect(evenly(4, 10)).toEqual([0, 2, 5, 7])
  expect(evenly(10, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})
