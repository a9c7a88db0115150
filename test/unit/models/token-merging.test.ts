import { describe, expect, it } from 'vitest'
import { keptTokens, mergedLevel, mergedWindows } from '../../../lib/models/token-merging.ts'

const level = (hasAttention: boolean) => ({
  ...{ channels: 8, resnets: 1 },
  attention: hasAttention ? { heads: 1, headSize: 8, layers: 1 } : undefined,
})
const unet = (...hasAttention: boolean[]) => ({ down: hasAttention.map(level) })

describe('mergedLevel', () => {
  it('is the first one that has attention', () => {
    expect(mergedLevel(unet(true, true, false))).toBe(0)
    expect(mergedLevel(unet(false, true, true))).toBe(1)
    expect(mergedLevel(unet(false, false))).toBeUndefined()
  })
})

describe('mergedWindows', () => {
  it('counts windows of 2x2 tokens in the maps of that level, odd sides rounded up', () => {
    expect(mergedWindows(unet(true, true), { height: 64, width: 48 })).toBe(32 * 24)
    expect(mergedWindows(unet(true), { height: 7, width: 1 })).toBe(4)
    expect(mergedWindows(unet(false, true), { height: 16, width: 16 })).toBe(4 * 4)
    expect(mergedWindows(unet(false, false, true), { height: 9, width: 11 })).toBe(2 * 2)
  })
})

describe('keptTokens', () => {
  it('leaves all but the share, rounded down', () => {
    expect(keptTokens({ height: 64, width: 64 }, 0.5)).toBe(2048)
    expect(keptTokens({ height: 3, width: 5 }, 0.25)).toBe(12)
    expect(keptTokens({ height: 64, width: 64 }, 0)).toBe(4096)
    expect(keptTokens({ height: 2, width: 2 }, 0.2)).toBe(4)
  })

  it('leaves one in each window', () => {
    expect(keptTokens({ height: 64, width: 64 }, 0.75)).toBe(1024)
    expect(keptTokens({ height: 3, width: 3 }, 0.75)).toBe(4)
    expect(keptTokens({ height: 1, width: 7 }, 0.75)).toBe(4)
    expect(keptTokens({ height: 1, width: 1 }, 0.75)).toBe(1)
  })
})
