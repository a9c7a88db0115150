// All kernels that are measured.

import { attentionCases } from './attention.ts'
import type { KernelCase } from './case.ts'
import { convCases } from './conv2d.ts'
import { linearCases } from './linear.ts'
import { normCases } from './norms.ts'
import { tokenMergingCases } from './token-merging.ts'

export const kernelCases: readonly KernelCase[] = [
  ...linearCases,
  ...convCases,
  ...attentionCases,
  ...normCases,
  ...tokenMergingCases,
]
