// Bugs that no compiler is needed to plant: of some kernels every barrier, every wait for copies or products and every fence
// is left out of the PTX in turn, and the interpreter must notice all that matter. All other mutants are `npm run
// test:mutants`.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { makeData } from '../../lib/selftest/run-case.ts'
import { architectures } from './build.ts'
import { device, ptxPath } from './device.ts'
import { type CountedLaunch, counted, planned } from './ledger/cases.ts'
import { encodeCase, runOn } from './run-op.ts'

const missing = inject('ptxMissing')
const element = 'f16'

/** The PTX of one kernel, and of what goes with it in a file. */
interface Kernel {
  readonly file: string
  readonly before: string
  readonly body: readonly string[]
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
    const [head, ...entries] = readFileSync(join(folder, file), 'utf8').split(begin)
    const entryOf = (kernel: string) => entries.find((entry) => entry.startsWith(`${kernel}(`))
    const body = entryOf(name)
    if (!body) continue
    // What the op does not launch would only take time to read.
    const others = kernels.filter((kernel) => kernel !== name).flatMap((kernel) => entryOf(kernel) ?? [])
    return { file, before: [head, ...others].join(begin), body: `${begin}${body}`.split('\n') }
  }
  throw new Error(`No PTX has the kernel ${name}.`)
}

const isSynchronization = (line: string) =>
  /^\s*(bar\.(warp\.)?sync|bar\.arrive|barrier\.cluster|mbarrier\.(arrive|expect_tx)|cp\.async\.wait_(group|all)|membar|fence|wgmma\.(fence|commit_group|wait_group))\b/.test(
    line,
  )

/** Waits at mbarriers loop until a predicate says that they are over, as it does at once where they are left out. */
const isPolling = /^\s*mbarrier\.(try|test)_wait[.\w:]* +(\w+),.*/
const without = (body: readonly string[], place: number) => {
  const polling = isPolling.exec(body[place]!)
  return body.toSpliced(place, 1, ...(polling ? [`setp.eq.u32 ${polling[2]}, 0, 0;`] : []))
}

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
  writeFileSync(join(own, kernel.file), kernel.before + body.join('\n'))
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
 * How many must be noticed. The others are those of code that the case does not run (norms in front of layers, sums of divided
 * products), and what only other cases need: the last wait, which has nothing left to wait for, barriers before memory that is
 * written no more or that another barrier follows, and that of the warp before it gives a step back, of which its lanes read
 * something themselves only for norms.
 */
const launches = [
  { kernel: 'conv2d', name: 'conv2d 8x8 320->64, divided', architecture: 80, noticed: 12 },
  { kernel: 'linear', name: 'linear 64 1280->128, divided', architecture: 80, noticed: 13 },
  { kernel: 'linear', name: 'linear 128 320->3x320, normed', architecture: 80, noticed: 10 },
  { kernel: 'linear_sliced', name: 'linear 64 640->128, sliced', architecture: 80, noticed: 7 },
  { kernel: 'boxed_conv2d', name: 'conv2d 8x8 320->64, divided', architecture: 90, noticed: 18 },
  { kernel: 'boxed_conv2d', name: 'conv2d 2x16x16 64->160', architecture: 90, noticed: 12 },
  { kernel: 'conv2d', name: 'conv2d 4x4 320->64, enlarged, divided', architecture: 90, noticed: 14 },
  { kernel: 'linear', name: 'linear 64 2560->2x64, normed, divided', architecture: 90, noticed: 19 },
  { kernel: 'linear_paired', name: 'linear 70 1288->3x160, normed', architecture: 90, noticed: 14 },
  { kernel: 'linear', name: 'linear 128 320->3x320, normed', architecture: 90, noticed: 14 },
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
const enlarged = conv({ h: 4, w: 4, c: 320, o: 64, k: 3, pad: 1, upsample: 2 })
const normed = (m: number, n: number, k: number, more: readonly string[]): OpCase => ({
  ...{ op: 'projections', dims: { m, n, k }, given: ['w1', 'y1', ...more, 'gamma', 'beta'] },
  params: { eps: 1e-5, activation: 'none' },
})
const known = [
  ...counted,
  { name: 'conv2d 4x4 320->64, enlarged, divided', op: enlarged, processors: 132 },
  { name: 'linear 64 2560->2x64, normed, divided', op: normed(64, 64, 2560, []), processors: 132 },
  { name: 'linear 70 1288->3x160, normed', op: normed(70, 160, 1288, ['w2', 'y2']), processors: 1 },
  { name: 'dynamicThreshold 2x640', op: threshold, processors: 108 },
]

describe('barriers, waits and fences', () => {
  it.for(launches)('of $kernel, $name, on sm_$architecture', (one, { skip }) => {
    const { name, architecture, noticed } = one
    skip(missing !== '' || !architectures.includes(architecture), missing || 'was not built')
    const launch = known.find((each) => each.name === name)!
    const kernel = kernelOf(launch, architecture, one.kernel)
    const whole = outcome(launch, architecture, kernel, kernel.body)
    expect(whole).toMatch(/^\[\[/)
    const places = kernel.body.flatMap((line, i) =>
      isSynchronization(line) || isPolling.test(line) ? [i] : [],
    )
    const missed = places.filter(
      (place) => outcome(launch, architecture, kernel, without(kernel.body, place)) !== whole,
    )
    expect(missed.length).toBeGreaterThanOrEqual(noticed)
  })
})
