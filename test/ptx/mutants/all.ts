// Every bug that is planted.

import { attentions } from './attention.ts'
import { boxes } from './boxes.ts'
import { enlargements } from './enlargements.ts'
import { fastSums } from './fast.ts'
import { gemm } from './gemm.ts'
import { hosts } from './hosts.ts'
import type { Mutant } from './mutant.ts'
import { norms } from './norms.ts'
import { others } from './others.ts'
import { tensorMaps } from './tensor-maps.ts'
import { tokenMerging } from './token-merging.ts'
import { warpgroups } from './warpgroups.ts'

export const mutants: readonly Mutant[] = [
  ...hosts,
  ...gemm,
  ...warpgroups,
  ...boxes,
  ...tensorMaps,
  ...enlargements,
  ...fastSums,
  ...norms,
  ...attentions,
  ...others,
  ...tokenMerging,
]
