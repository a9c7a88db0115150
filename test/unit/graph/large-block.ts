// A residual block whose maps are so large that its shortcut is worth contracting in place.

import { chooseConvolutions } from '../../../lib/graph/choose-convolution.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import type { Graph } from '../../../lib/graph/graph.ts'
import { normalizeOnLoad } from '../../../lib/graph/normalize-on-load.ts'
import { resnetBlock } from '../../../lib/models/resnet.ts'
import { silu, upsample } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

interface LargeBlock {
  /** Side of the maps. */
  readonly side?: number
  readonly channels?: number
  readonly out?: number
  /** Also gives the input of the block away, or reads it once more behind it. */
  readonly input?: 'given' | 'read'
  /** Enlarges the result, which takes more memory than the block does. */
  readonly enlarged?: boolean
}

export function largeBlock({ side = 512, channels = 64, out = 32, input, enlarged }: LargeBlock = {}): Graph {
  const trace = new Trace()
  const x = silu(trace.input('x', 'f32', [1, side, side, channels]))
  const y = resnetBlock(new Scope(trace), x, { out, norm: { groups: 4, eps: 1e-6 } })
  trace.output('y', silu(enlarged ? upsample(y, 2 * side, 2 * side) : y))
  if (input === 'given') trace.output('input', x)
  if (input === 'read') trace.output('input', silu(x))
  return normalizeOnLoad(chooseConvolutions(fuse(trace.graph())))
}
