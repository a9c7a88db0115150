// Where numbers become vectors: token and position tables, and the sinusoids of the timestep.

import { defineOp, float, input, inputOf, int, keepFloat, optional, output, weight } from '../spec.ts'

export const embedding = defineOp({
  name: 'embedding',
  formula: 'y[i] = table[ids[i]] + positions[i mod length]; ids outside the table are clamped to it',
  dims: ['m', 'c', 'rows', 'length'],
  operands: {
    ids: inputOf('i32', 'm'),
    table: weight('raw', 'rows', 'c'),
    positions: optional(weight('raw', 'length', 'c')),
    y: output('m', 'c'),
  },
  params: {},
  reference({ ids, table, positions, y, m, c, rows, length }, round) {
    for (let i = 0; i < m; i++) {
      const id = Math.min(rows - 1, Math.max(0, ids[i]!))
      for (let j = 0; j < c; j++) {
        const position = positions ? positions[(i % length) * c + j]! : 0
        y[i * c + j] = round(table[id * c + j]! + position)
      }
    }
  },
})

export const timestepEmbedding = defineOp({
  name: 'timestepEmbedding',
  formula:
    'y[i] = [sin(t_i w), cos(t_i w)], w_j = 10000^(-j / (dim/2 - shift)) (Ho et al., 2020, as in diffusers)',
  dims: ['m', 'dim'],
  operands: { t: keepFloat(input('m')), y: output('m', 'dim') },
  params: {
    /** 1 puts the cosines first. */
    cosFirst: int(),
    shift: float,
  },
  check: ({ dim, shift }) => (Math.floor(dim / 2) > shift ? undefined : `${dim} values are too few`),
  reference({ t, y, m, dim, cosFirst, shift }, round) {
    const half = Math.floor(dim / 2)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < half; j++) {
        const angle = round(t[i]! * round(Math.exp(round((-Math.log(10000) * j) / (half - shift)))))
        y[i * dim + j] = round(cosFirst ? Math.cos(angle) : Math.sin(angle))
        y[i * dim + half + j] = round(cosFirst ? Math.sin(angle) : Math.cos(angle))
      }
      if (dim % 2 === 1) y[i * dim + dim - 1] = 0
    }
  },
})
