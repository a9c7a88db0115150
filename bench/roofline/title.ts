// An op of a plan in a few words: `conv2d 2x64x64 320->320`.

import type { Node } from '../../lib/graph/graph.ts'
import { layersOf } from '../stages/flop.ts'

export function titleOf({ op, dims: d, params, operands }: Node): string {
  if (op === 'conv2d') {
    const kind =
      d.kh === 1 ? ' 1x1' : params.upsample === 2 ? ' enlarged' : params.stride === 2 ? ' halved' : ''
    return `conv2d ${d.n}x${d.ho}x${d.wo} ${d.c}->${d.o}${kind}`
  }
  if (op === 'upsampleConv2d') return `conv2d ${d.n}x${d.ho}x${d.wo} ${d.c}->${d.o} enlarged`
  if (op === 'linear') return `linear ${d.m} ${d.k}->${d.n}`
  if (op === 'concatLinear') return `linear ${d.m} ${d.ca}+${d.cb}->${d.n}`
  const normed = operands.gamma === undefined ? '' : ' normed'
  if (op === 'projections') {
    const layers = layersOf(operands)
    return `linear ${d.m} ${d.k}->${layers > 1 ? `${layers}x` : ''}${d.n}${normed}`
  }
  if (op === 'linearGeglu') return `linearGeglu ${d.m} ${d.k}->${d.n}${normed}`
  if (op === 'attention') {
    const heads = params.heads as number
    return `attention ${d.n}x${heads} heads of ${d.c! / heads}, ${d.lq} over ${d.lk}`
  }
  if (op === 'groupNorm') return `groupNorm ${d.n}x${d.hw}x${d.c}`
  if (op === 'concatGroupNorm') return `groupNorm ${d.n}x${d.hw}x${d.ca}+${d.cb}`
  return [op, Object.values(d).join('x')].join(' ')
}
