// Additions, scalings and copies: what fusion mostly makes disappear.

import { defineOp, float, inPlace, input, keepFloat, type Numbers, optional, output } from '../spec.ts'

export const add = defineOp({
  name: 'add',
  formula: 'y = a + b',
  dims: ['count'],
  operands: { a: input('count'), b: input('count'), y: inPlace(output('count'), 'a', 'b') },
  params: {},
  reference({ a, b, y, count }, round) {
    for (let i = 0; i < count; i++) y[i] = round(a[i]! + b[i]!)
  },
})

export const addRowBias = defineOp({
  name: 'addRowBias',
  formula: 'y[i, p, j] = x[i, p, j] + rowBias[i, j], with one row of rowBias for each picture or for all',
  dims: ['n', 'hw', 'c', 'rows'],
  operands: {
    x: input('n', 'hw', 'c'),
    rowBias: input('rows', 'c'),
    y: inPlace(output('n', 'hw', 'c'), 'x'),
  },
  params: {},
  check: ({ n, rows }) =>
    rows === 1 || rows === n ? undefined : `rowBias has ${rows} rows, expected 1 or ${n}`,
  reference({ x, rowBias, y, n, hw, c, rows }, round) {
    for (let i = 0; i < n * hw; i++) {
      const row = rows === 1 ? 0 : Math.floor(i / hw)
      for (let j = 0; j < c; j++) y[i * c + j] = round(x[i * c + j]! + rowBias[row * c + j]!)
    }
  },
})

export const scale = defineOp({
  name: 'scale',
  formula: 'y = factor * by[0] * x, by = 1 where absent',
  dims: ['count', 'one'],
  operands: {
    x: keepFloat(input('count')),
    by: optional(keepFloat(input('one'))),
    y: inPlace(output('count'), 'x'),
  },
  params: { factor: float },
  check: ({ one }) => (one === 1 ? undefined : `by has ${one} values, expected 1`),
  reference({ x, by, y, count, factor }, round) {
    const total = round(factor * (by ? by[0]! : 1))
    for (let i = 0; i < count; i++) y[i] = round(x[i]! * total)
  },
})

const copy = ({ x, y, count }: { readonly x: Numbers; readonly y: Numbers; readonly count: number }) => {
  for (let i = 0; i < count; i++) y[i] = x[i]!
}

export const narrow = defineOp({
  name: 'narrow',
  formula: 'y = x, rounded to what the device computes in (lower-precision.ts)',
  dims: ['count'],
  operands: { x: keepFloat(input('count')), y: output('count') },
  params: {},
  reference: copy,
})

export const widen = defineOp({
  name: 'widen',
  formula: 'y = x in float32',
  dims: ['count'],
  operands: { x: input('count'), y: keepFloat(output('count')) },
  params: {},
  reference: copy,
})

export const concat = defineOp({
  name: 'concat',
  formula: 'y[i] = [a[i], b[i]] along the channels',
  dims: ['m', 'ca', 'cb', 'c'],
  operands: { a: input('m', 'ca'), b: input('m', 'cb'), y: output('m', 'c') },
  params: {},
  check: ({ ca, cb, c }) => (c === ca + cb ? undefined : `${ca} and ${cb} channels do not make ${c}`),
  reference({ a, b, y, m, ca, cb, c }) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < c; j++) y[i * c + j] = j < ca ? a[i * ca + j]! : b[i * cb + j - ca]!
    }
  },
})

export const tile = defineOp({
  name: 'tile',
  formula: 'y = x, times times over, one copy after the other',
  dims: ['times', 'count'],
  operands: { x: input('count'), y: output('times', 'count') },
  params: {},
  reference({ x, y, times, count }) {
    for (let i = 0; i < times * count; i++) y[i] = x[i % count]!
  },
})

export const upsample = defineOp({
  name: 'upsample',
  formula:
    'y[i, y, x] = x[i, y / 2, x / 2]: every pixel twice in both directions, the last row or column once if odd',
  dims: ['n', 'h', 'w', 'c', 'ho', 'wo'],
  operands: { x: input('n', 'h', 'w', 'c'), y: output('n', 'ho', 'wo', 'c') },
  params: {},
  check: ({ h, w, ho, wo }) =>
    Math.ceil(ho / 2) === h && Math.ceil(wo / 2) === w ? undefined : `${h}x${w} does not become ${ho}x${wo}`,
  reference({ x, y, n, h, w, c, ho, wo }) {
    for (let i = 0; i < n * ho * wo; i++) {
      const iy = (Math.floor(i / wo) % ho) >> 1
      const from = ((Math.floor(i / (ho * wo)) * h + iy) * w + ((i % wo) >> 1)) * c
      for (let j = 0; j < c; j++) y[i * c + j] = x[from + j]!
    }
  },
})
