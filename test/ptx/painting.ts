// Small generations for tests of what the CUDA backend does around them.

import { expect } from 'vitest'
import { type LoadOptions, load, type Pipeline } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

export const { folder } = openGolden('one-layer')

/** Text encoder and UNet, which is enough for that: plans.test.ts paints whole pictures. */
export const options = {
  ...{ prompt: 'red apple', seed: 1, steps: 2, guidanceScale: 1, width: 64, height: 64 },
  output: 'latents',
} as const
export const paint = async (pipeline: Pipeline, more: object = {}) => {
  const { latents } = await pipeline.generate({ ...options, ...more })
  expect(latents.every(Number.isFinite)).toBe(true)
  return latents
}
export const on = (gpu: number) => ({ device: `cuda:${gpu}` }) as const
export const paintOnce = async (where: LoadOptions, more: object = {}) => {
  await using pipeline = await load(folder, where)
  return await paint(pipeline, more)
}
