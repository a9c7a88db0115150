// The cases of the kernels' tests on a device of this machine: whether its kernels compute what they must.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TintypeError } from '../errors.ts'
import type { OpName } from '../graph/ops.ts'
import type { Target } from '../runtime/target.ts'
import { convolutions } from './cases/conv2d.ts'
import { concatenated, gatedLinears, joinedLinears, linears } from './cases/linear.ts'
import { modelSizes } from './cases/model-sizes.ts'
import { otherOps } from './cases/others.ts'
import { tokenMerging } from './cases/token-merging.ts'
import { enlargements } from './cases/upsample-conv2d.ts'
import { type OpCase, titleOf } from './op-case.ts'
import { runCase } from './run-case.ts'

/** Every case of the kernels' tests. Winograd is an algorithm of the CPU: a GPU takes those cases as it takes all. */
export const testedCases: readonly OpCase[] = [
  ...Object.values(linears).flat(),
  ...gatedLinears,
  ...joinedLinears,
  ...concatenated,
  ...Object.values(convolutions).flat(),
  ...Object.values(enlargements).flat(),
  ...otherOps,
  ...tokenMerging,
]
/** With those that are too large for an interpreted GPU. */
export const allCases: readonly OpCase[] = [...testedCases, ...modelSizes]

/** One case of each kind of kernel, of a size that takes milliseconds. */
export const quickCases: readonly OpCase[] = [
  'linear m=64 n=320 k=320',
  'linearGeglu m=5 n=1280',
  'conv2d n=1 h=4 w=4 c=320 ho=8 wo=8 o=320',
  'upsampleConv2d n=1 h=4 w=4 c=320',
  'attention n=1 lq=33 lk=77 c=80',
  'groupNorm n=2 hw=33 c=40',
  'layerNorm m=7 c=320',
  'matchTokens n=1 h=5 w=8 c=24',
  'schedulerStep count=33 copies=2 width=11',
].map((title) => {
  const found = testedCases.find((c) => titleOf(c).startsWith(title))
  if (!found) throw new TintypeError('INTERNAL', `There is no case ${title}.`)
  return found
})

export interface CaseReport {
  readonly op: OpName
  readonly title: string
  /** Why it failed, if it did. */
  readonly failure: string | undefined
  readonly error: number
  readonly limit: number
  /** The error over what it may be. */
  readonly share: number
}

/**
 * Runs cases one after the other. After the device is lost there is nothing more to run: that case is the last.
 *
 * @throws TintypeError what is not the fault of a kernel: `OUT_OF_MEMORY`, `ADDON_NOT_FOUND`
 */
export async function* selfTest(
  target: Target,
  cases: readonly OpCase[],
): AsyncGenerator<CaseReport, void, void> {
  const folder = mkdtempSync(join(tmpdir(), 'tintype-selftest-'))
  try {
    for (const c of cases) {
      const base = { op: c.op, title: titleOf(c) }
      try {
        const { output, judgement } = await runCase(c, target, folder)
        const { error, limit, share, wrong } = judgement
        yield { ...base, error, limit, share, failure: wrong && `${output}: ${wrong}` }
      } catch (error) {
        const known = error instanceof TintypeError && ['DEVICE_LOST', 'INTERNAL'].includes(error.code)
        if (!known) throw error
        yield { ...base, error: Number.NaN, limit: 0, share: Infinity, failure: error.message }
        if (error.code === 'DEVICE_LOST') return
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const verdicts = new Map<string, Promise<string | undefined>>()

/**
 * Says why a device is not to be trusted, if so. Takes some milliseconds on a GPU; answered once in a process. What has
 * nothing to do with its kernels, such as too little memory, may pass: then it is asked again.
 */
export function distrust(target: Target, key: string): Promise<string | undefined> {
  const known = verdicts.get(key)
  if (known) return known
  const verdict = (async () => {
    for await (const { title, failure } of selfTest(target, quickCases)) {
      if (failure !== undefined) return `${title}: ${failure.split('\n')[0]}`
    }
    return undefined
  })()
  verdicts.set(key, verdict)
  verdict.catch(() => verdicts.delete(key))
  return verdict
}
