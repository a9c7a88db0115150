// The autoencoder in strips on a GPU: features, and maps where they are kept, come and go in its own type.

import { it as check, expect, inject } from 'vitest'
import { openModel } from '../../lib/pipelines/model.ts'
import { decodeGraph } from '../../lib/pipelines/stages.ts'
import { decodeInStrips, decoderCut } from '../../lib/pipelines/tiled-vae.ts'
import { targetOf } from '../../lib/runtime/target.ts'
import { openGolden } from '../golden/pipelines.ts'
import { architectures } from './build.ts'
import { addGpu, setUp } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')

check.skipIf(missing)(
  'strips give the pixels of one piece, with maps that are kept and without',
  async () => {
    setUp()
    const target = targetOf({ device: `cuda:${addGpu({ architecture: 80 })}` })
    const model = await openModel(openGolden('one-layer').folder, { targets: [target] })
    const { vae, configs } = model
    const { factor, latentChannels } = configs.vae
    const plane = { h: 16, w: 2 }
    const latents = Float32Array.from({ length: plane.h * plane.w * latentChannels }, (_, i) =>
      Math.sin(13 * i),
    )
    const picture = () => new Uint8Array(plane.h * plane.w * factor * factor * 3)
    const whole = picture()
    const graph = () => decodeGraph(configs, { n: 1, ...plane })
    await vae.run({ key: 'whole', graph, inputs: { latents }, outputs: { pixels: whole } })
    const level = configs.vae.channels.length - 2
    const { norms, plan } = decoderCut(model, plane, level).strips()
    expect(norms).toEqual([])
    for (const kept of [[], [2, 3]]) {
      const pixels = picture()
      const tiling = { level, plan: plan(2, kept)!.plan }
      await decodeInStrips(model, { latents, pixels }, { plane, tiling, signal: undefined })
      // Statistics of strips are rounded otherwise than those of one piece, and halves have 11 bits.
      const off = pixels.map((v, i) => Math.abs(v - whole[i]!))
      expect(Math.max(...off)).toBeLessThanOrEqual(2)
      expect(off.filter((v) => v > 0).length).toBeLessThan(0.1 * off.length)
    }
    for (const part of [model.textEncoder, model.unet, vae]) part.dispose()
  },
)
