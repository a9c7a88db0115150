// What the self-test is asked for, refused before any GPU is looked for.

import { describe, expect, it } from 'vitest'
import { selfTest } from '../../../lib/selftest/public.ts'

describe('selfTest', () => {
  it.each([
    [null, 'INVALID_ARGUMENT', /selfTest\(\) takes an object of options, got null/],
    [{ precison: 'f16' }, 'UNKNOWN_OPTION', /Did you mean "precision"/],
    [{ only: 5 }, 'INVALID_ARGUMENT', /only must be a part of titles, .* got 5/],
    [{ device: 'cpu' }, 'INVALID_ARGUMENT', /expected "cuda" or "cuda:1"/],
  ])('refuses %o', async (options, code, message) => {
    await expect(selfTest(options as object).next()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })
})
