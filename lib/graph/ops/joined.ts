// Linear layers of the same rows, which a GPU runs in one launch, with the norm in front of them.

import { activationParam, defineOp, float, input, type Numbers, optional, output, weight } from '../spec.ts'
import { normalizedRows } from './layer-norm.ts'
import { linear } from './linear.ts'

/** How many layers one op holds. */
export const joinedLayers = 6

const numbers = Array.from({ length: joinedLayers }, (_, i) => i)

type Name<Prefix extends string> = `${Prefix}${0 | 1 | 2 | 3 | 4 | 5}`

const each = <const Prefix extends string, S>(prefix: Prefix, spec: (i: number) => S) =>
  Object.fromEntries(numbers.map((i) => [`${prefix}${i}`, spec(i)])) as Record<Name<Prefix>, S>

/** The first layer is there in any case. */
const maybe = <const S extends Parameters<typeof optional>[0]>(spec: S, i: number) =>
  i === 0 ? spec : optional(spec)

export const projections = defineOp({
  name: 'projections',
  formula:
    'y_i = f(norm(x) w_i^T + bias_i), layer by layer: those that are there are the first ones; norm is the layer norm, without gamma and beta nothing',
  dims: ['m', 'n', 'k'],
  operands: {
    x: input('m', 'k'),
    gamma: optional(weight('folded', 'k')),
    beta: optional(weight('folded', 'k')),
    ...each('w', (i) => maybe(weight('matrix', 'n', 'k'), i)),
    ...each('bias', () => optional(weight('vector', 'n'))),
    ...each('y', (i) => maybe(output('m', 'n'), i)),
  },
  params: { eps: float, activation: activationParam },
  reference(args, round) {
    const { m, n, k, activation } = args
    const x: Numbers = normalizedRows(args, round)
    for (const i of numbers) {
      const [w, bias, y] = (['w', 'bias', 'y'] as const).map((name) => args[`${name}${i as 0}`])
      if (w && y)
        linear.reference(
          { x, w, bias, y, residual: undefined, m, n, k, activation, algorithm: 'direct' },
          round,
        )
    }
  },
})
