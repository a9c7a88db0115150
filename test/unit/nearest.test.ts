// The spelling somebody probably meant.

import { describe, expect, it } from 'vitest'
import { nearest, nearestBeginning, suggestion } from '../../lib/nearest.ts'

describe('nearest', () => {
  it.each([
    ['stpes', 'steps'],
    ['Steps', 'steps'],
    ['negative_prompt', 'negativePrompt'],
    ['sed', 'seed'],
  ])('finds what %s meant', (name, meant) => {
    expect(nearest(name, ['steps', 'seed', 'negativePrompt', 'width'])).toBe(meant)
  })

  it('says nothing where nothing is near', () => {
    expect(nearest('zzzzzz', ['steps', 'seed'])).toBeUndefined()
    expect(suggestion('zzzzzz', ['steps', 'seed'])).toBe('Expected one of: steps, seed.')
    expect(suggestion('step', ['steps', 'seed'])).toBe('Did you mean "steps"?')
  })

  it.each(['', 'n', 'ab'])('guesses nothing from %o, of which every letter would be wrong', (name) => {
    expect(nearest(name, ['rng', 'eta'])).toBeUndefined()
  })

  it('takes as few edits as asked', () => {
    expect(nearest('doctr', ['doctor'], 1)).toBe('doctor')
    expect(nearest('dctr', ['doctor'], 1)).toBeUndefined()
    expect(nearest('dctr', ['doctor'])).toBe('doctor')
  })

  it.each([
    ['negative', 'negativePrompt'],
    ['Nagative', 'negativePrompt'],
    ['cfgscale', undefined],
    ['ne', undefined],
    ['x'.repeat(1e6), undefined],
  ])('finds what is meant by a beginning: case %#', (name, meant) => {
    expect(nearestBeginning(name, ['steps', 'negativePrompt', 'width'])).toBe(meant)
  })

  it('is quick with hostile names', () => {
    expect(nearest('x'.repeat(1e6), ['steps'])).toBeUndefined()
  })
})
