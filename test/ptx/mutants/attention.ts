// Bugs in attention.

import { hunting, type Mutant } from './mutant.ts'

const attention = hunting(
  { files: ['test/kernels/ops.test.ts'], title: 'attention', kernels: ['attention'] },
  'kernels/cuda',
)

export const attentions: readonly Mutant[] = [
  attention(
    'attention.cuh',
    'no barrier when keys have arrived',
    '__syncthreads();  // the keys are here',
    '// the keys are here',
  ),
  attention(
    'attention.cuh',
    'no barrier when values have arrived',
    '__syncthreads();  // the values are here',
    '// the values are here',
  ),
  attention(
    'attention.cuh',
    'the largest score is not subtracted',
    'const float base = largest * a_.scale_log2;',
    'const float base = 0;',
  ),
  attention(
    'attention.cuh',
    'weights of former steps do not shrink',
    'weights_[t][half] * shrink + sum',
    'weights_[t][half] + sum',
  ),
  attention(
    'attention.cuh',
    'half of the stale sums does not shrink',
    '          sums_[t][n][half * 2 + 1] *= shrink;\n',
    '',
  ),
  attention(
    'attention.cuh',
    'one row behind the last key is read',
    'wanted = i * rows_apart < left',
    'wanted = i * rows_apart <= left',
  ),
  attention(
    'attention.cuh',
    'the last eight channels of a head are left out',
    'if constexpr (half_step) multiply_last_keys(scores);',
    '',
  ),
  attention('attention.cuh', 'the last keys are left out', '(seen + keys - 1) / keys', 'max(seen / keys, 1)'),
  attention(
    'attention.cuh',
    'keys behind the last one are not hidden',
    'if (key >= lk || (causal',
    'if ((causal',
  ),
  attention('attention.cuh', 'a query does not see itself', 'key > query)', 'key >= query)'),
  attention(
    'attention.cuh',
    'steps that are seen in part are not masked',
    'causal ? first_ + 1 : lk',
    'causal ? first_ + Shape.queries() : lk',
  ),
  attention(
    'attention.cuh',
    'one query behind the last is stored',
    'first_ + row < a_.op.lq',
    'first_ + row <= a_.op.lq',
  ),
  attention('tensor_core.cuh', 'values are not transposed', 'm8n8.x4.trans.shared', 'm8n8.x4.shared'),
  attention(
    'attention.cu',
    'a step of the general kernel reads 32 values always',
    'min(32, seen - first)',
    '32',
  ),
  attention('attention.cc', 'scores for base 2 without its logarithm', 'a.scale * log2_e', 'a.scale'),
]
