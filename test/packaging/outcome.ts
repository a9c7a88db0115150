// Programs that must succeed.

import { expect } from 'vitest'
import type { Outcome } from './user.ts'

/** @returns stdout; fails with all that the program printed, which says more than its exit code */
export function expectSuccess({ code, stdout, stderr }: Outcome): string {
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  return stdout
}
