// Whether the planted bugs still find their places: kernels change, and a mutant that does not apply proves nothing.

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { mutants } from '../../ptx/mutants/all.ts'
import { apply } from '../../ptx/mutants/mutant.ts'

it.each(mutants.map((mutant) => [`${mutant.file}: ${mutant.bug}`, mutant] as const))('%s', (_, mutant) => {
  const text = readFileSync(mutant.file, 'utf8')
  expect(apply(mutant, text)).not.toBe(text)
})
