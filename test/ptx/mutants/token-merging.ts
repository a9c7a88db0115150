// Bugs in token merging.

import { hunting, type Mutant } from './mutant.ts'

const merging = hunting(
  { files: ['test/kernels/token-merging.test.ts'], kernels: ['token_merging'] },
  'kernels/cuda',
)

export const tokenMerging: readonly Mutant[] = [
  merging(
    'token_matching.cuh',
    'of equal ones the last is taken',
    'other_window < window)',
    'other_window > window)',
  ),
  merging(
    'token_matching.cuh',
    'products with nothing behind the last window are compared',
    'if (window < windows_) matches_[m][half].join(sum * factor, window);',
    'matches_[m][half].join(sum * factor, window);',
  ),
  merging('token_matching.cuh', 'sums of a tile go on in the next one', '            sum = 0;\n', ''),
  merging(
    'token_matching.cuh',
    'what was found written over tiles that others read',
    'wait_for_copies<0>();\n    __syncthreads();\n    finish();',
    'wait_for_copies<0>();\n    finish();',
  ),
  merging(
    'token_matching.cuh',
    'tiles written while others multiply them',
    '      __syncthreads();  // the step has arrived',
    '      // the step has arrived',
  ),
  merging(
    'token_matching.cuh',
    'what warps have found joined before it is there',
    '    __syncthreads();\n    const int row = threadIdx.x',
    '    const int row = threadIdx.x',
  ),
  merging(
    'token_matching.cuh',
    'a step multiplied before it has arrived',
    'wait_for_copies<ahead - 1>();',
    'wait_for_copies<ahead>();',
  ),
  merging(
    'token_matching.cuh',
    'the first channel of the next token taken for one more',
    'token >= 0 && channel + i < c_',
    'token >= 0 && channel + i <= c_',
  ),
  merging(
    'token_matching.cuh',
    'the next destinations found a step late',
    'if (copied_channel_ < c_) return;',
    'if (copied_channel_ <= c_) return;',
  ),
  merging(
    'token_map.cuh',
    'a window at the end of a row has a token of the next one',
    'y < h_ && x < w_ ?',
    'y < h_ ?',
  ),
  merging(
    'token_map.cuh',
    'corners taken as they are',
    'min(max(corners_[window], 0), 3)',
    'corners_[window]',
  ),
  merging('token_merging.cu', 'one source more is merged', '(merged - 1), order', '(merged), order'),
  merging(
    'token_merging.cu',
    'of equal sources one too many merged',
    'place <= static_cast<int>(s.rank)',
    'place <= static_cast<int>(s.rank) + 1',
  ),
  merging(
    'token_merging.cu',
    'destinations may be merged',
    'a.cosine[index] = -INFINITY;',
    'a.cosine[index] = 1;',
  ),
  merging(
    'token_merging.cu',
    'counts of warps read before they are there',
    '  __syncthreads();\n  int count = __popc',
    '  int count = __popc',
  ),
  merging(
    'token_merging.cu',
    'rows read before all have theirs',
    '  __syncthreads();\n  for (int token',
    '  for (int token',
  ),
  merging(
    'token_merging.cu',
    'counts of warps written while others read them',
    '  __syncthreads();  // the numbers may be written again\n',
    '',
  ),
  merging(
    'token_merging.cu',
    'numbers of rows begin anew in every turn',
    '    rows_before += staying;\n',
    '',
  ),
  merging(
    'token_merging.cu',
    'the mean of a row taken over all that belong to a picture',
    'tokens == 0 ? 0.f : reciprocal(static_cast<float>(tokens))',
    'reciprocal(static_cast<float>(hw))',
  ),
  merging(
    'token_merging.cu',
    'channels behind the first turn of a warp are left out',
    'first < c; first += chunks * 32 * chunk',
    'first < 1; first += chunks * 32 * chunk',
  ),
  merging(
    'token_merging.cu',
    'the row behind the last one is read',
    'int64_t{0}), a.kept - 1);',
    'int64_t{0}), a.kept);',
  ),
  merging(
    'token_merging.cc',
    'blocks for one source of each window',
    'blocks_for(a.windows * window_sources,',
    'blocks_for(a.windows,',
  ),
  merging('token_merging.cc', 'no memory for what is nearest', '3 * tokens; }', '2 * tokens; }'),
]
