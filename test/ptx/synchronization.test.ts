// Bugs that no compiler is needed to plant: of some kernels every barrier, every wait for copies or products and every fence
// is left out of the PTX in turn, and the interpreter must notice all that matter. All other mutants are `npm run
// test:mutants`.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { operandsOf } from '../../lib/selftest/op-case.ts'
import { makeData } from '../../lib/selftest/run-case.ts'
import { architectures } from './build.ts'
import { device, ptxPath } from './device.ts'
import { type CountedLaunch, counted } from './ledger/cases.ts'
import { encode, runOn } from './run-op.ts'

const missing = inject('ptxMissing')
const element = 'f16'

/** The PTX of one kernel, with what its file declares before the first. */
interface Kernel {
  readonly name: string
  readonly file: string
  readonly head: string
  readonly body: readonly string[]
}

const begin = '.visible .entry '

function kernelOf({ op, processors }: CountedLaunch, architecture: number): Kernel {
  const numbers = new Map(operandsOf(op).map(([operand], i) => [operand, i]))
  const name = device().launchesOf(architecture, processors, encode(op, numbers))[0]!.kernel
  const folder = ptxPath(`sm_${architecture}`, element)
  for (const file of readdirSync(folder).filter((one) => one.endsWith('.ptx'))) {
    const [head, ...kernels] = readFileSync(join(folder, file), 'utf8').split(begin)
    const body = kernels.find((text) => text.startsWith(`${name}(`))
    if (body !== undefined) return { name, file, head: head!, body: `${begin}${body}`.split('\n') }
  }
  throw new Error(`No PTX has the kernel ${name}.`)
}

const isSynchronization = (line: string) =>
  /^\s*(bar\.(warp\.)?sync|cp\.async\.wait_(group|all)|membar|fence|wgmma\.(fence|commit_group|wait_group))\b/.test(
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
  writeFileSync(join(own, kernel.file), kernel.head + body.join('\n'))
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
  { name: 'conv2d 8x8 320->64, divided', architecture: 80, noticed: 9 },
  { name: 'linear 64 1280->128, divided', architecture: 80, noticed: 10 },
  { name: 'conv2d 8x8 320->64, divided', architecture: 90, noticed: 14 },
  { name: 'linear 64 1280->128, divided', architecture: 90, noticed: 13 },
  { name: 'attention 256 over 256, heads of 40', architecture: 80, noticed: 9 },
  { name: 'attention 64 over 256, head of 512', architecture: 80, noticed: 6 },
  { name: 'groupNorm 2x256x320', architecture: 80, noticed: 5 },
  { name: 'groupFactors 2x256x320', architecture: 80, noticed: 5 },
] as const

describe('barriers, waits and fences', () => {
  it.for(launches)('of $name on sm_$architecture', ({ name, architecture, noticed }, { skip }) => {
    skip(missing !== '' || !architectures.includes(architecture), missing || 'was not built')
    const launch = counted.find((one) => one.name === name)!
    const kernel = kernelOf(launch, architecture)
    const whole = outcome(launch, architecture, kernel, kernel.body)
    expect(whole).toMatch(/^\[\[/)
    const places = kernel.body.flatMap((line, i) => (isSynchronization(line) ? [i] : []))
    const missed = places.filter(
      (place) => outcome(launch, architecture, kernel, kernel.body.toSpliced(place, 1)) !== whole,
    )
    expect(missed.length).toBeGreaterThanOrEqual(noticed)
  })
})
