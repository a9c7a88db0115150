// What a call throws, so that a test can look at code and message together.

import { TintypeError } from '../../../lib/errors.ts'

export async function thrownBy(call: () => unknown): Promise<TintypeError> {
  try {
    await call()
  } catch (error) {
    if (error instanceof TintypeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
