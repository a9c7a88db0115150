// Token merging (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023): tokens that resemble another one are
// averaged with it, so that attention has fewer rows, and get a copy of its result afterwards.

import { defineOp, inPlace, input, inputOf, type Numbers, output, outputOf, type Round } from '../spec.ts'
import { addProducts, rowOf, type Strided } from './add-products.ts'

/** How many windows of 2x2 tokens a map has; those at the end of an odd side have one or two tokens. */
export const windowsOf = (h: number, w: number): number => Math.ceil(h / 2) * Math.ceil(w / 2)

/** The token that each window keeps, in the order of the windows. */
function destinationsOf(corners: Numbers, h: number, w: number): number[] {
  const across = Math.ceil(w / 2)
  return Array.from({ length: windowsOf(h, w) }, (_, window) => {
    const corner = Math.min(3, Math.max(0, corners[window]!))
    const y = Math.min(h - 1, 2 * Math.floor(window / across) + (corner >> 1))
    const x = Math.min(w - 1, 2 * (window % across) + (corner & 1))
    return y * w + x
  })
}

/** 1 / |row| of c numbers, and 0 for a row of zeros or one that is not finite. */
function inverseNorm(row: Strided, c: number, round: Round): number {
  const squares = addProducts(0, { a: row, b: row, count: c }, round)
  return squares > 0 ? round(1 / round(Math.sqrt(squares))) : 0
}

export const matchTokens = defineOp({
  name: 'matchTokens',
  formula:
    'rows[i, t]: the row that token t of picture i has after merging. Each window of 2x2 tokens keeps the one at its corner (0 to 3, by rows; clamped). Of the others, the sources, the h * w - kept with the largest cosine to a kept one of their picture go where that one goes; ties go to the first. All that stay have rows in their own order',
  dims: ['n', 'h', 'w', 'c', 'windows', 'kept'],
  operands: {
    x: input('n', 'h', 'w', 'c'),
    corners: inputOf('i32', 'windows'),
    rows: outputOf('i32', 'n', 'h', 'w'),
  },
  params: {},
  check({ h, w, windows, kept }) {
    if (windows !== windowsOf(h, w)) return `${h}x${w} tokens have ${windowsOf(h, w)} windows, not ${windows}`
    if (windows >= 2 ** 24) return `${windows} windows are too many`
    if (kept < windows || kept > h * w) return `${kept} tokens kept, expected ${windows} to ${h * w}`
    return undefined
  },
  reference({ x, corners, rows, n, h, w, c, kept }, round) {
    const hw = h * w
    const destinations = destinationsOf(corners, h, w)
    const isDestination = new Set(destinations)
    const sources = Array.from({ length: hw }, (_, t) => t).filter((t) => !isDestination.has(t))
    for (let picture = 0; picture < n; picture++) {
      const at = (token: number) => rowOf(x, picture * hw + token, c)
      const units = destinations.map((token): Strided => {
        const { first } = at(token)
        const inverse = inverseNorm(at(token), c, round)
        const of = Float64Array.from({ length: c }, (_, j) => round(x[first + j]! * inverse))
        return { of, first: 0, stride: 1 }
      })
      const matches = sources.map((token, order) => {
        let [most, nearest] = [-Infinity, 0]
        units.forEach((unit, index) => {
          const dot = addProducts(0, { a: at(token), b: unit, count: c }, round)
          if (dot > most) [most, nearest] = [dot, index]
        })
        const cosine = round(most * inverseNorm(at(token), c, round))
        // What is not finite resembles nothing.
        return {
          token,
          order,
          nearest: destinations[nearest]!,
          cosine: Number.isFinite(cosine) ? cosine : -2,
        }
      })
      const merged = matches.sort((a, b) => b.cosine - a.cosine || a.order - b.order).slice(0, hw - kept)
      const target = new Map(merged.map(({ token, nearest }) => [token, nearest]))
      let row = 0
      for (let token = 0; token < hw; token++) if (!target.has(token)) rows[picture * hw + token] = row++
      for (const [token, nearest] of target) rows[picture * hw + token] = rows[picture * hw + nearest]!
    }
  },
})

export const mergeTokens = defineOp({
  name: 'mergeTokens',
  formula: 'y[i, r] = the mean of all x[i, t] with rows[i, t] = r, or 0 where there is none',
  dims: ['n', 'hw', 'c', 'kept'],
  operands: {
    x: input('n', 'hw', 'c'),
    rows: inputOf('i32', 'n', 'hw'),
    y: output('n', 'kept', 'c'),
  },
  params: {},
  reference({ x, rows, y, n, hw, c, kept }, round) {
    for (let picture = 0; picture < n; picture++) {
      for (let row = 0; row < kept; row++) {
        const tokens = Array.from({ length: hw }, (_, t) => picture * hw + t).filter((t) => rows[t] === row)
        for (let j = 0; j < c; j++) {
          const sum = tokens.reduce((total, t) => round(total + x[t * c + j]!), 0)
          y[(picture * kept + row) * c + j] = round(sum / Math.max(1, tokens.length))
        }
      }
    }
  },
})

export const unmergeTokens = defineOp({
  name: 'unmergeTokens',
  formula: 'y[i, t] = residual[i, t] + x[i, rows[i, t]]; rows outside x are clamped to it',
  dims: ['n', 'hw', 'c', 'kept'],
  operands: {
    x: input('n', 'kept', 'c'),
    rows: inputOf('i32', 'n', 'hw'),
    residual: input('n', 'hw', 'c'),
    y: inPlace(output('n', 'hw', 'c'), 'residual'),
  },
  params: {},
  reference({ x, rows, residual, y, n, hw, c, kept }, round) {
    for (let token = 0; token < n * hw; token++) {
      const row = Math.floor(token / hw) * kept + Math.min(kept - 1, Math.max(0, rows[token]!))
      for (let j = 0; j < c; j++) y[token * c + j] = round(residual[token * c + j]! + x[row * c + j]!)
    }
  },
})
