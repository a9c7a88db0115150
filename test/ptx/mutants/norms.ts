// Bugs in norms that go into the layers behind them.

import { linear } from './hunters.ts'
import type { Mutant } from './mutant.ts'

const normed = { title: 'gamma' }

export const norms: readonly Mutant[] = [
  linear('gemm_norm.cuh', 'sums of squares around 0', 'around_ = to_float(', 'around_ = 0 * to_float(', {
    files: ['test/ptx/folded-weights.test.ts'],
    title: 'around a number',
  }),
  linear(
    'gemm_norm.cuh',
    'the part of a step at the end of the depth counts as a whole',
    'left >= Tile.depth',
    'left > 0',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'a step is cut short at the end of the depth',
    'k < min(left,',
    'k < min(left - 1,',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'the neighbour of a row is not added',
    'squares += __shfl_xor_sync(0xffffffff, squares, 1);',
    '',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'moments of splits without their distance',
    'a.squares + b.squares + away * away * count_a * share',
    'a.squares + b.squares',
    normed,
  ),
  linear('gemm_norm.cuh', 'epsilon forgotten', '/ count + eps)', '/ count)', normed),
  linear(
    'gemm_norm.cuh',
    'variance of a smaller sample',
    'moments.squares / count',
    'moments.squares / (count - 1)',
    normed,
  ),
  linear(
    'gemm.cuh',
    'no barrier between norms and those who need them',
    'if (a_.splits > 1) return;\n    meet();',
    'if (a_.splits > 1) return;',
    normed,
  ),
  linear(
    'gemm.cuh',
    'no barrier between norms of a divided product and their use',
    '    }\n    meet();\n  }\n  __device__ Moments load_moments',
    '    }\n  }\n  __device__ Moments load_moments',
    normed,
  ),
  linear('gemm.cuh', 'lower rows get the norm of upper ones', 'half * 8 + lane_ / 4]', 'lane_ / 4]', normed),
  linear(
    'gemm.cuh',
    'divided products are not normalised',
    'if (has_norm())\n            normalize(',
    'if (false)\n            normalize(',
    normed,
  ),
  linear(
    'gemm.cuh',
    'the moments of the last split are left out',
    'for (int split = 1; split < a_.splits; split++)',
    'for (int split = 1; split < a_.splits - 1; split++)',
    normed,
  ),
  linear(
    'gemm.cuh',
    'all splits count as whole',
    'count = min(a_.split_depth, a_.k - before)',
    'count = a_.split_depth',
    // The depth that splits do not divide.
    { title: 'k=1288 .*bf16.*gamma', precision: 'bf16' },
  ),
  linear(
    'gemm.cuh',
    'norms over what is staged',
    'shared_ + Tile.tile_bytes() - norms_bytes',
    'shared_',
    normed,
  ),
  linear(
    'gemm.cc',
    'moments over the sums of splits',
    'args.partials + partial_floats(',
    'args.partials + 0 * partial_floats(',
    normed,
  ),
  linear(
    'gemm.cc',
    'no room for moments',
    'partial_floats(variant, size) + 2 * moments',
    'partial_floats(variant, size) + moments',
    normed,
  ),
  linear(
    'pack.cc',
    'sums of what was there before rounding',
    'sum += read(dst, to, column);',
    'sum += weight * norm.scale[column] * factor;',
    normed,
  ),
  linear(
    'pack.cc',
    'shifts are scaled',
    'shift += static_cast<double>(weight) * norm.shift[column];',
    'shift += static_cast<double>(weight) * norm.shift[column] * norm.scale[column];',
    normed,
  ),
  linear(
    'pack.cc',
    'small products fall among the subnormal halves',
    'std::clamp(-exponent, -100, 100)',
    '0 * std::clamp(-exponent, -100, 100)',
    normed,
  ),
]
