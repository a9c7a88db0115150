// The ops of token merging: maps of odd sides, of one row and of one token, several tasks of sources and tiles of
// destinations, and tokens that are all alike.

import { windowsOf } from '../../graph/ops/token-merging.ts'
import { noise, type OpCase } from '../op-case.ts'

/** -1 to 4: what is no corner is clamped to one. */
const corners = (count: number) => Int32Array.from(noise(count, 5), (x) => Math.floor(x * 3 + 2))

/** `share` of the tokens are merged, as far as there are sources. */
const match = (n: number, h: number, w: number, c: number, share: number): OpCase => {
  const windows = windowsOf(h, w)
  const kept = Math.max(windows, h * w - Math.floor(share * h * w))
  return { op: 'matchTokens', dims: { n, h, w, c, windows, kept }, inputs: { corners: corners(windows) } }
}

/** The same with numbers of its own for each token. */
const matchOf = (c: OpCase, x: (token: number, channel: number) => number): OpCase => {
  const { n, h, w, c: channels } = c.dims as Record<string, number>
  const count = n! * h! * w! * channels!
  const values = Float32Array.from({ length: count }, (_, i) => x(Math.floor(i / channels!), i % channels!))
  return { ...c, inputs: { ...c.inputs, x: values } }
}

const matches: OpCase[] = [
  ...[3, 15, 16, 17, 33, 320].flatMap((c) => [0.25, 0.5, 0.75].map((share) => match(2, 8, 6, c, share))),
  ...(
    [
      [1, 1],
      [1, 2],
      [1, 7],
      [9, 1],
      [2, 2],
      [3, 3],
      [5, 8],
      [7, 13],
      [24, 22],
    ] as const
  ).flatMap(([h, w]) => [match(1, h, w, 24, 0.4), match(3, h, w, 40, 0.75)]),
  match(2, 6, 6, 20, 0),
  match(1, 20, 20, 320, 0.5),
  // More windows than a tile has, of whole steps of channels.
  match(1, 24, 24, 64, 0.5),
  // All alike; alike but for their length; two kinds, of a length that is rounded nowhere; nothing in any.
  matchOf(match(2, 6, 7, 24, 0.5), (_, channel) => Math.sin(channel + 1)),
  matchOf(match(1, 6, 7, 16, 0.5), (token, channel) => 2 ** (token % 5) * (channel % 3)),
  matchOf(match(2, 8, 8, 16, 0.6), (token, channel) => 1 - 2 * ((channel >> (token % 2)) % 2)),
  matchOf(match(1, 5, 4, 24, 0.5), () => 0),
  // What is not finite, in a source or a destination, is merged last.
  ...[Number.NaN, Number.POSITIVE_INFINITY].map((bad) =>
    matchOf(match(1, 6, 6, 19, 0.5), (token, channel) =>
      token % 11 === 3 && channel === 7 ? bad : Math.sin(token * 7 + channel * channel),
    ),
  ),
]

const inBf16 = [match(1, 24, 24, 64, 0.5), match(2, 7, 5, 19, 0.5)].map(
  (c): OpCase => ({ ...c, dtype: 'bf16' }),
)

/** Rows for tokens, a few of them outside, so that some rows have many tokens and some none. */
const rows = (count: number, kept: number) =>
  Int32Array.from(noise(count, 9), (x) => Math.floor((x + 1) * 0.5 * (kept + 2)) - 1)

const merges: OpCase[] = [
  [1, 1, 1, 1],
  [1, 7, 1, 33],
  [2, 9, 4, 31],
  [2, 64, 32, 32],
  [1, 48, 48, 17],
  [3, 100, 30, 320],
  // More channels than a warp takes at a time.
  [1, 20, 9, 1032],
  // Several tasks of rows.
  [2, 300, 160, 160],
].flatMap(([n, hw, kept, c]): OpCase[] => {
  const dims = { n: n!, hw: hw!, c: c!, kept: kept! }
  const inputs = { rows: rows(n! * hw!, kept!) }
  return [
    { op: 'mergeTokens', dims, inputs },
    { op: 'unmergeTokens', dims, inputs },
    { op: 'unmergeTokens', dims, inputs, inPlace: true },
    ...(['mergeTokens', 'unmergeTokens'] as const).map((op) => ({
      op,
      dims,
      inputs,
      dtype: 'bf16' as const,
    })),
  ]
})

export const tokenMerging: readonly OpCase[] = [...matches, ...inBf16, ...merges]
