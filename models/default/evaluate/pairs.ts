// Objects and background colours: which pairs training never sees (held_out() of tools/train-default-model/model.py).

import { readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/** The named colours, red, green and blue from 0 to 255. */
export const colors: Readonly<Record<string, readonly number[]>> = JSON.parse(
  readFileSync(new URL('../../../tools/train-default-model/colors.json', import.meta.url), 'utf8'),
)

export interface Pair<T extends { readonly key: string }> {
  readonly object: T
  readonly color: string
}

/** Whether training never sees this object on this colour: one pair in ten, none on white. */
export const isHeldOut = (key: string, color: string): boolean =>
  color !== 'white' && crc32(`${key}/${color}`) % 10 === 0

/** All pairs that training never sees, colours in the order of the file. */
export const heldOutPairs = <T extends { readonly key: string }>(objects: readonly T[]): Pair<T>[] =>
  objects.flatMap((object) =>
    Object.keys(colors)
      .filter((color) => isHeldOut(object.key, color))
      .map((color) => ({ object, color })),
  )

/** `count` indices spread evenly over a list of `length`, 0 first. */
export const evenly = (count: number, length: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor((i * length) / count))
