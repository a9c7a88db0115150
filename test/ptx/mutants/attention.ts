// Bugs in attention.

import { hunting, type Mutant } from './mutant.ts'

const attention = hunting(
  { files: ['test/kernels/ops.test.ts'], title: 'attention', kernels: ['attention'] },
  'kernels/cuda',
)

/** By warpgroups, of heads that only Hopper multiplies so. */
const hopper = hunting(
  { files: ['test/kernels/ops.test.ts'], title: 'attention', kernels: ['attention'], architecture: 90 },
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
    'lanes without a row point behind the last value',
    'load_matrices_transposed(v, rows + (s * 16',
    'load_matrices_transposed(v, from + (s * 16',
  ),
  attention(
    'attention_rows.cuh',
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
  attention(
    'attention_rows.cuh',
    'the last keys are left out',
    '(seen() + keys - 1) / keys',
    'max(seen() / keys, 1)',
  ),
  attention(
    'attention_rows.cuh',
    'keys behind the last one are not hidden',
    'if (key >= lk || (causal',
    'if ((causal',
  ),
  attention('attention_rows.cuh', 'a query does not see itself', 'key > query)', 'key >= query)'),
  attention(
    'attention_rows.cuh',
    'steps that are seen in part are not masked',
    'causal ? first_ + 1 : lk',
    'causal ? first_ + queries : lk',
  ),
  attention(
    'attention_rows.cuh',
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
  hopper(
    'attention_warpgroup.cuh',
    'a warpgroup does not wait until all have multiplied what copies overwrite',
    '__syncthreads();  // keys and values are here',
    '// keys and values are here',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'keys and values are not published to the warpgroups',
    '      publish_to_tensor_cores();\n',
    '',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'copies come to the step that is multiplied',
    'copy_step(step + 1);',
    'copy_step(step);',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'sums do not shrink for a larger score',
    'sums_[n][half * 2] *= shrink;',
    '',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'only the first row of a lane asks for its sums to shrink',
    ' || base[1] > base_[1] + most_log2',
    '',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'scores may be larger by far before sums shrink, so that weights leave fp16',
    'most_log2 = 8',
    'most_log2 = 100',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'the column of ones has no ones',
    'Chunk one = {1};',
    'Chunk one = {0, 1};',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'behind queries and keys of half a product lies what was there',
    'clear(Shape.queries_at() + place(i, head_tiles, query_panel_bytes));',
    '',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'the second warpgroup has the queries of the first',
    'warp_ / 4 * 64 * Shape.panel_row_bytes',
    '0',
  ),
  hopper(
    'attention_warpgroup.cuh',
    'scores are added to those of the step before',
    'warpgroup_multiply(scores, a, b);',
    'warpgroup_multiply_add(scores, a, b);',
  ),
  hopper(
    'attention.h',
    'the ones of a head of whole panels are looked for where those of the second stage would be',
    'ones_at(0) - stage * stage_bytes() - tile_bytes()',
    'ones_at(0) - tile_bytes()',
  ),
]
