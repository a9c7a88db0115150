// The graphs that stages stand for, for counting what is in them; they are run by the drivers.

import type { Graph } from '../../lib/graph/graph.ts'
import { clipText } from '../../lib/models/clip.ts'
import type { ModelConfigs } from '../../lib/models/configs.ts'
import { unet } from '../../lib/models/unet.ts'
import { vaeDecoder, vaeEncoder } from '../../lib/models/vae.ts'
import { Scope } from '../../lib/tensor/scope.ts'
import { type Tensor, Trace } from '../../lib/tensor/trace.ts'
import type { Stage } from '../peers/protocol.ts'

export interface StageSize {
  /** Side of the picture. */
  readonly size: number
  readonly batch: number
}

/** Of every stage but `image`, which is many graphs. */
export function stageGraph(
  stage: Exclude<Stage, 'image'>,
  configs: ModelConfigs,
  { size, batch: n }: StageSize,
): Graph {
  const { textEncoder, vae } = configs
  const side = size / vae.factor
  const trace = new Trace()
  const scope = new Scope(trace)
  const latents = (channels: number) => trace.input('latents', 'f32', [n, side, side, channels])
  const outputs: Readonly<Record<typeof stage, () => Tensor>> = {
    text: () => clipText(scope, trace.input('ids', 'i32', [n, textEncoder.maxPositions]), textEncoder),
    unet: () => {
      const { inChannels, crossAttentionDim } = configs.unet
      const timestep = trace.input('timestep', 'f32', [1])
      const context = trace.input('context', 'f32', [n, textEncoder.maxPositions, crossAttentionDim])
      return unet(scope, { latents: latents(inChannels), timestep, context }, configs.unet)
    },
    'vae-decode': () => vaeDecoder(scope, latents(vae.latentChannels), vae),
    'vae-encode': () => vaeEncoder(scope, trace.input('pixels', 'f32', [n, size, size, 3]), vae),
  }
  trace.output('output', outputs[stage]())
  return trace.graph()
}
