import { describe, expect, it } from 'vitest'
import { chooseMerging, type MergingModel } from '../../../lib/pipelines/choose-merging.ts'

const level = { channels: 8, resnets: 1, attention: { heads: 1, headSize: 8, layers: 1 } }
const model: MergingModel = { config: { down: [level] }, size: { height: 64, width: 64 } }
const bare = { ...model, config: { down: [{ ...level, attention: undefined }] } }
const draws = (seed: bigint) => {
  const { drawCorners } = chooseMerging(model, { tokenMerging: 0.5, seed })!
  return [drawCorners(), drawCorners()]
}

describe('chooseMerging', () => {
  it('merges nothing where nothing is asked for, whatever the model', () => {
    expect(chooseMerging(bare, { tokenMerging: 0, seed: 1n })).toBeUndefined()
  })

  it('merges nothing where the share is less than a token', () => {
    const small = { ...model, size: { height: 8, width: 8 } }
    expect(chooseMerging(small, { tokenMerging: 0.015, seed: 1n })).toBeUndefined()
    expect(chooseMerging(small, { tokenMerging: 0.016, seed: 1n })).toBeDefined()
  })

  it('draws a corner for each window, all of them alike often', () => {
    const [corners] = draws(1n)
    expect(corners).toHaveLength(32 * 32)
    for (const corner of [0, 1, 2, 3]) {
      expect(corners!.filter((one) => one === corner).length).toBeGreaterThan(200)
    }
  })

  it('draws others in each step, and the same for a seed', () => {
    const [first, second] = draws(1n)
    expect(first).not.toEqual(second)
    expect(draws(1n)).toEqual([first, second])
    expect(draws(2n)[0]).not.toEqual(first)
    expect(draws(2n ** 64n - 1n)[0]).toHaveLength(32 * 32)
  })

  it('refuses what cannot merge', () => {
    const options = { tokenMerging: 0.5, seed: 1n }
    expect(() => chooseMerging(bare, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/self-attention/) }),
    )
  })
})
