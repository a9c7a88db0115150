// Bugs that no compiler is needed to plant: of some kernels every barrier, every wait for copies or products and every fence
// is left out of the PTX in turn, and the interpreter must notice all that matter. All other mutants are `npm run
// test:mutants`.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeData } from '../../lib/selftest/run-case.ts'
import { architectures } from './build.ts'
import { device, ptxPath } from './device.ts'
import { type CountedLaunch, counted, planned } from './ledger/cases.ts'
import { encodeCase, runOn } from './run-op.ts'

const missing = inject('ptxMissing')
const element = 'f16'

/** The PTX of one kernel, and what its file has before and behind it. */
interface Kernel {
  readonly file: string
  readonly before: string
  readonly body: readonly string[]
  readonly behind: string
}

const begin = '.visible .entry '

/** The op's kernel whose name begins so. */
function kernelOf({ op, processors }: CountedLaunch, architecture: number, beginning: string): Kernel {
  const kernels = device()
    .launchesOf(architecture, processors, encodeCase(op))
    .map(({ kernel }) => kernel)
  const name = kernels.find((one) => one.startsWith(beginning))
  if (!name) throw new Error(`Of ${kernels} none begins with ${beginning}.`)
  const folder = ptxPath(`sm_${architecture}`, element)
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.ptx'))) {
    const source = readFileSync(join(folder, file), 'utf8')
    const start = source.indexOf(`${begin}${name}(`)
    if (start < 0) continue
    const next = source.indexOf(begin, start + begin.length)
    const end = next < 0 ? source.length : next
    const [before, body, behind] = [source.slice(0, start), source.slice(start, end), source.slice(end)]
    return { file, before, body: body.split('\n'), behind }
  }
  throw new Error(`No PTX has the kernel ${name}.`)
}

const isSynchronization = (line: string) =>
  /^\s*(bar\.(warp\.)?sync|bar\.arrive|barrier\.cluster|mbarrier\.(arrive|expect_tx)|cp\.async\.wait_(group|all)|membar|fence|wgmma\.(fence|commit_group|wait_group))\b/.test(
    line,
  )

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tintype-ptx-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the op gives with this PTX, or what the interpreter finds wrong with it. */
function outcome(
  { op, processors }: CountedLaunch,
  architecture: number,
  kernel: Kernel,
  body: readonly string[],
): string {
  // A folder of its own: the device reads each file once.
  const own = mkdtempSync(join(folder, 'mutant-'))
  writeFileSync(join(own, kernel.file), kernel.before + body.join('\n') + kernel.behind)
  try {
    const { outputs } = runOn(
      { architecture, processors, order: 'random', folder: own },
      op,
      makeData(op, element),
      element,
    )
    return JSON.stringify([...outputs.values()].map((values) => [...values]))
  } catch (error) {
    return String(error)
  }
}

/**
 * How many must be noticed. The others are those of code that the case does not run (norms in front of layers), and what
 * only other cases need: the last wait, which has nothing left to wait for, and barriers before memory that is written no more.
 */
const launches = [
  { kernel: 'conv2d', name: 'conv2d 8x8 320->64, divided', architecture: 80, noticed: 12 },
  { kernel: 'linear', name: 'linear 64 1280->128, divided', architecture: 80, noticed: 13 },
  { kernel: 'linear', name: 'linear 128 320->3x320, normed', architecture: 80, noticed: 10 },
  { kernel: 'linear_sliced', name: 'linear 64 640->128, sliced', architecture: 80, noticed: 7 },
  { kernel: 'boxed_conv2d', name: 'conv2d 8x8 320->64, divided', architecture: 90, noticed: 16 },
  { kernel: 'boxed_conv2d', name: 'conv2d 2x16x16 64->160', architecture: 90, noticed: 10 },
  { kernel: 'conv2d', name: 'conv2d 8x8 40->64, divided', architecture: 90, noticed: 8 },
  { kernel: 'linear', name: 'linear 64 1280->128, divided', architecture: 90, noticed: 10 },
  { kernel: 'linear', name: 'linear 128 320->3x320, normed', architecture: 90, noticed: 12 },
  { kernel: 'attention', name: 'attention 256 over 256, heads of 40', architecture: 80, noticed: 9 },
  { kernel: 'attention', name: 'attention 256 over 256, heads of 40', architecture: 90, noticed: 10 },
  { kernel: 'attention', name: 'attention 64 over 256, head of 512', architecture: 80, noticed: 6 },
  { kernel: 'group_norm', name: 'groupNorm 2x256x320', architecture: 80, noticed: 5 },
  { kernel: 'group_factors', name: 'groupFactors 2x256x320', architecture: 80, noticed: 5 },
  { kernel: 'match_tokens', name: 'matchTokens 24x24x320', architecture: 80, noticed: 3 },
  { kernel: 'number_tokens', name: 'matchTokens 24x24x320', architecture: 80, noticed: 8 },
  { kernel: 'dynamic_threshold', name: 'dynamicThreshold 2x640', architecture: 80, noticed: 4 },
] as const

const threshold = planned.find(({ op }) => op === 'dynamicThreshold')!
const known = [...counted, { name: 'dynamicThreshold 2x640', op: threshold, processors: 108 }]

describe('barriers, waits and fences', () => {
  it.for(launches)('of $kernel, $name, on sm_$architecture', (one, { skip }) => {
    const { name, architecture, noticed } = one
    skip(missing !== '' || !architectures.includes(architecture), missing || 'was not built')
    const launch = known.find((each) => each.name === name)!
    const kernel = kernelOf(launch, architecture, one.kernel)
    const whole = outcome(launch, architecture, kernel, kernel.body)
    expect(whole).toMatch(/^\[\[/)
    const places = kernel.body.flatMap((line, i) => (isSynchronization(line) ? [i] : []))
    const missed = places.filter(
      (place) => outcome(launch, architecture, kernel, kernel.body.toSpliced(place, 1)) !== whole,
    )
    expect(missed.length).toBeGreaterThanOrEqual(noticed)
  })
})
