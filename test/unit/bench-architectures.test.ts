// The full-size models of the benchmarks have the shapes of those that they stand for.

import { describe, expect, it } from 'vitest'
import { type Architecture, architectures } from '../../bench/architectures.ts'
import { elements } from '../../lib/graph/graph.ts'
import { parseTextEncoderConfig, parseUnetConfig, parseVaeConfig } from '../../lib/models/configs.ts'
import { stepGraph } from '../../lib/pipelines/stages.ts'

function unetParameters(architecture: Architecture): number {
  const { text, unet, vae } = architectures[architecture]
  const configs = {
    index: { components: {} },
    textEncoder: parseTextEncoderConfig(text, 'text'),
    unet: parseUnetConfig(unet, 'unet'),
    vae: parseVaeConfig(vae, 'vae'),
  } as unknown as Parameters<typeof stepGraph>[0]
  const shape = { ...{ n: 1, h: 8, w: 8, guided: true, stochastic: false, historyLength: 0 } }
  const { values } = stepGraph(configs, { ...shape, threshold: undefined, wantClean: false })
  const weights = new Map(
    values.filter(({ kind }) => kind === 'weight').map(({ name, shape: dims }) => [name, elements(dims)]),
  )
  return [...weights.values()].reduce((sum, count) => sum + count, 0)
}

/** SDXL embeds 2816 numbers, of pooled text and sizes, in two layers of 1280. */
const addedEmbedding = 2816 * 1280 + 1280 + 1280 * 1280 + 1280

describe('parameters of the UNet', () => {
  it.each([
    ['sd15', 859_520_964],
    ['sd21', 865_910_724],
    ['sdxl', 2_567_463_684 - addedEmbedding],
  ] as const)('%s', (architecture, parameters) => {
    expect(unetParameters(architecture)).toBe(parameters)
  })
})
