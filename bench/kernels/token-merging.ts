// Token merging of the largest maps of Stable Diffusion 1.5 at 512x512, guided, with half of the tokens merged.

import { windowsOf } from '../../lib/graph/ops/token-merging.ts'
import type { KernelCase } from './case.ts'

const n = 2
const [side, c] = [64, 320]
const hw = side * side
const kept = hw / 2
const windows = windowsOf(side, side)

export const tokenMergingCases: readonly KernelCase[] = [
  {
    name: `match_tokens n=${n} ${side}x${side} c=${c} kept=${kept}`,
    op: 'matchTokens',
    dims: { n, h: side, w: side, c, windows, kept },
    params: {},
    flop: 2 * n * (hw - windows) * windows * c,
  },
  ...(['mergeTokens', 'unmergeTokens'] as const).map((op) => ({
    name: `${op === 'mergeTokens' ? 'merge_tokens' : 'unmerge_tokens'} n=${n} hw=${hw} c=${c} kept=${kept}`,
    ...{ op, dims: { n, hw, c, kept }, params: {}, flop: 0 },
  })),
]
