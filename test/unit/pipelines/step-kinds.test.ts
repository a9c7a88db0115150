// Which steps are guided and which compute the whole UNet.

import { describe, expect, it } from 'vitest'
import { type StepKindOptions, stepKinds } from '../../../lib/pipelines/step-kinds.ts'

const plain: StepKindOptions = { guided: true, guidanceInterval: [0, 1], cacheInterval: 1 }

/** Upper case for guided; W whole, K whole with features that are kept, R with those. */
const letters = (steps: number, options: Partial<StepKindOptions>) =>
  stepKinds(steps, { ...plain, ...options })
    .map(({ guided, features }) => {
      const letter = features === 'keep' ? 'k' : features === 'reuse' ? 'r' : 'w'
      return guided ? letter.toUpperCase() : letter
    })
    .join('')

describe('stepKinds', () => {
  it.each<[string, number, Partial<StepKindOptions>]>([
    ['WWWW', 4, {}],
    ['wwww', 4, { guided: false }],
    ['wwWWWWWWww', 10, { guidanceInterval: [0.2, 0.8] }],
    ['wwww', 4, { guided: false, guidanceInterval: [0.2, 0.8] }],
    ['wWw', 3, { guidanceInterval: [0.3, 0.5] }],
    ['KRRKRRW', 7, { cacheInterval: 3 }],
    ['krkrw', 5, { cacheInterval: 2, guided: false }],
    ['KRRRR', 5, { cacheInterval: 100 }],
    ['krKRKRkrw', 9, { cacheInterval: 2, guidanceInterval: [0.2, 0.6] }],
    ['wWw', 3, { cacheInterval: 2, guidanceInterval: [0.3, 0.5] }],
    ['W', 1, { cacheInterval: 2 }],
  ])('%s', (expected, steps, options) => {
    expect(letters(steps, options)).toBe(expected)
  })
})
