// A picture in strips of its full width: equal in height, so that one program serves all, and overlapping, so that
// every row is kept from a strip that knows its surroundings.

export interface Strip {
  /** Its first row. */
  readonly start: number
  /** Rows that are kept of it: from the first to before the second. */
  readonly kept: readonly [number, number]
}

export interface Strips {
  /** Of each strip. */
  readonly rows: number
  readonly list: readonly Strip[]
}

/** Rows of each strip when `count` of them overlap by at least twice the reach. */
export const rowsOfStrip = (height: number, count: number, reach: number): number =>
  Math.ceil((height + 2 * reach * (count - 1)) / count)

/** The smallest strips that meet none but their neighbours. */
export const fewestRows = (reach: number): number => 4 * reach + 2

/** @param reach rows next to an inner edge of a strip that the edge makes wrong */
export function cutStrips(height: number, count: number, reach: number): Strips {
  const rows = rowsOfStrip(height, count, reach)
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (height - rows)) / (count - 1)),
  )
  const borders = starts.slice(1).map((start, i) => Math.floor((start + starts[i]! + rows) / 2))
  const list = starts.map((start, i) => {
    return { start, kept: [borders[i - 1] ?? 0, borders[i] ?? height] as const }
  })
  return { rows, list }
}

/** Rows where a strip and the next one overlap, as [first, end). */
export const overlapsOf = ({ rows, list }: Strips): (readonly [number, number])[] =>
  list.slice(1).map(({ start }, i) => [start, list[i]!.start + rows])
