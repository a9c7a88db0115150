// Bugs in convolutions of enlarged pictures, whose outputs are computed by quarters.

import { driver, quarters } from './hunters.ts'
import type { Mutant } from './mutant.ts'

const weights: readonly Mutant[] = [
  quarters(
    'pack.cc',
    'enlarged: the tap in the middle summed into the other half',
    'border = 1 + half',
    'border = 2 - half',
  ),
  quarters('pack.cc', 'enlarged: the last tap is left out', 'Taps{border, 3}', 'Taps{border, 2}'),
  quarters(
    'pack.cc',
    'enlarged: quarters to the right take the sums of those below',
    'taps_at(quarter / 2, tap / 2), right = taps_at(quarter % 2, tap % 2)',
    'taps_at(quarter % 2, tap / 2), right = taps_at(quarter / 2, tap % 2)',
  ),
  quarters(
    'pack.cc',
    'enlarged: sums are those of the quarter before',
    'quarter = static_cast<int>(i / n)',
    'quarter = static_cast<int>((i ? i - 1 : 0) / n)',
  ),
  driver(
    'weight_loader.cc',
    'enlarged: taps on the device are not summed',
    'is_quartered = use.packing == Packing::quartered',
    'is_quartered = false',
    { kernels: ['conv2d'], title: 'an enlarged picture' },
  ),
]

const places: readonly Mutant[] = [
  quarters(
    'gemm_gather.cuh',
    'enlarged: quarters below begin a row too high',
    '      patch.y += range.quarter.down;\n',
    '',
  ),
  quarters(
    'gemm_gather.cuh',
    'enlarged: the border of the wrong side',
    'patch.x += range',
    'patch.x -= range',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: quarters of rows and of columns swapped',
    'Quarter{layer_ / 2, layer_ % 2}',
    'Quarter{layer_ % 2, layer_ / 2}',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: all rows of y are even ones',
    '(2 * (row / a_.w) + quarter().down)',
    '(2 * (row / a_.w))',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: all columns of y are even ones',
    '2 * (row % a_.w) + quarter().right',
    '2 * (row % a_.w)',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: rows of y as wide as those of the picture',
    '* (2 * a_.w) + 2 *',
    '* a_.w + 2 *',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: single sums where the picture was not enlarged',
    'finish_one(a_, own, place(row), column',
    'finish_one(a_, own, row, column',
  ),
  quarters(
    'gemm.cuh',
    'enlarged: the weights of the first quarter for all',
    'static_cast<int64_t>(layer_) * a_.n * a_.b_stride',
    '0',
  ),
  quarters(
    'gemm_boxed.cuh',
    'enlarged: taps of quarters to the right not moved',
    'tap_x + quarter.right',
    'tap_x',
    {
      architecture: 90,
    },
  ),
  quarters('gemm_boxed.cuh', 'enlarged: taps of quarters below not moved', 'tap_y + quarter.down', 'tap_y', {
    architecture: 90,
  }),
]

const host: readonly Mutant[] = [
  quarters(
    'conv2d.cc',
    'enlarged: no border',
    'quarter.pad_top = quarter.pad_left = 1',
    'quarter.pad_top = quarter.pad_left = 0',
  ),
  quarters(
    'conv2d.cc',
    'enlarged: quarters of weights a row apart',
    'i * a.o * args.b_stride',
    'i * args.b_stride',
    { architecture: 90 },
  ),
  quarters(
    'conv2d.cc',
    'enlarged: workspace for the sums of one quarter',
    'size_of(quarter, quarters, gpu));',
    'size_of(quarter, 1, gpu));',
  ),
]

export const enlargements: readonly Mutant[] = [...weights, ...places, ...host]
