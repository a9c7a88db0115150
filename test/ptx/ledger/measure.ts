// Makes a ledger from what was built and what the interpreter counts.

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { GpuPrecision } from '../../../lib/runtime/target.ts'
import { lossOf } from '../../../lib/selftest/fast-sums.ts'
import { makeData } from '../../../lib/selftest/run-case.ts'
import type { OpCase } from '../../kernels/harness.ts'
import { kernelsOf } from '../compiled-kernels.ts'
import { device, type Launched, type PlannedLaunch, ptxPath } from '../device.ts'
import { encodeCase, runOn } from '../run-op.ts'
import { counted, planned } from './cases.ts'
import type { ByTarget, Figures, Ledger } from './ledger.ts'
import { occupancy } from './occupancy.ts'
import { parsePtxas } from './ptxas.ts'

export const architectures = [75, 80, 86, 89, 90, 120] as const
/** An A100; and Hopper, which launches its tiles otherwise: some of these numbers of processors make the hosts choose each. */
const typical = { architecture: 80, processors: [108] }
const hopper = { architecture: 90, processors: [1, 2, 4, 8, 16, 32, 64, 132] }

/** `13.0.88` */
export function compilerVersion(): string {
  const { stdout } = spawnSync('nvcc', ['--version'], { encoding: 'utf8' })
  const version = /V(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (!version) throw new Error(`nvcc --version says no version: ${stdout}`)
  return version
}

const targets = architectures.flatMap((architecture) =>
  (['f16', 'bf16', 'fast'] as const)
    .filter((precision) => precision !== 'bf16' || architecture >= 80)
    .map((precision) => ({ architecture, precision, name: `sm_${architecture} ${precision}` })),
)

const folderOf = (architecture: number, precision: GpuPrecision) => ptxPath(`sm_${architecture}`, precision)
const filesOf = (architecture: number, precision: GpuPrecision, extension: string) =>
  readdirSync(folderOf(architecture, precision))
    .filter((file) => file.endsWith(extension))
    .sort()
    .map((file) => join(folderOf(architecture, precision), file))

/** Zeros say nothing, and ratios need no more than three digits. */
const tidy = (figures: Figures): Figures =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => {
      const rounded = Math.round(value * 1000) / 1000
      return rounded === 0 ? [] : [[name, rounded]]
    }),
  )

/** One launch of each kernel: blocks of a kernel are alike in all of them. */
function launchesOn({ architecture, processors }: typeof typical): ReadonlyMap<string, PlannedLaunch> {
  const plan = (c: OpCase, processors: number) => device().launchesOf(architecture, processors, encodeCase(c))
  const launches = [
    ...planned.flatMap((c) => processors.flatMap((count) => plan(c, count))),
    ...counted.flatMap(({ op, processors }) => plan(op, processors)),
  ]
  return new Map(launches.map((launch) => [launch.kernel, launch]))
}

type Nested<T> = Record<string, Record<string, T>>

function resources(): Ledger['resources'] {
  const [usual, onHopper] = [launchesOn(typical), launchesOn(hopper)]
  const found: Nested<Figures> = {}
  for (const { architecture, precision, name } of targets) {
    const kernels = kernelsOf(architecture, precision)
    for (const file of filesOf(architecture, precision, '.log')) {
      for (const [kernel, needs] of parsePtxas(readFileSync(file, 'utf8'))) {
        if (!kernels.has(kernel)) continue
        const launch = (architecture === hopper.architecture ? onHopper : usual).get(kernel)
        if (!launch) throw new Error(`${kernel} is launched by no op of test/ptx/ledger/cases.ts: add one`)
        const sharedBytes = needs.sharedBytes + launch.sharedBytes
        const block = { threads: launch.threads, registers: needs.registers, sharedBytes }
        found[kernel] ??= {}
        found[kernel][name] = tidy({ ...needs, sharedBytes, occupancy: occupancy(architecture, block) })
      }
    }
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const code = (): ByTarget =>
  Object.fromEntries(
    targets.map(({ architecture, precision, name }) => [
      name,
      {
        bytes: filesOf(architecture, precision, '.cubin').reduce((sum, file) => sum + statSync(file).size, 0),
      },
    ]),
  )

/** What a launch did: instructions of warps by kind, and how often what accesses need at best. */
const figuresOf = (launch: Launched): Figures =>
  tidy({
    ...launch.warpInstructions,
    ...(launch.sharedIdeal > 0 && { bankConflicts: launch.sharedWavefronts / launch.sharedIdeal }),
    ...(launch.globalIdeal > 0 && { sectors: launch.globalSectors / launch.globalIdeal }),
  })

function launches(): Ledger['launches'] {
  const found: Record<string, Nested<Figures>> = {}
  for (const { name, op, processors } of counted) {
    const kernels: Nested<Figures> = {}
    found[name] = kernels
    const data = makeData(op, 'f16')
    // What is no product has no kernels of its own in fast, and bf16 does as f16 does.
    const precisions = lossOf(op.op, 'fast') > 0 ? (['f16', 'fast'] as const) : (['f16'] as const)
    for (const architecture of architectures) {
      for (const precision of precisions) {
        const { launched } = runOn({ architecture, processors, order: 'forward' }, op, data, precision)
        for (const launch of launched) {
          kernels[launch.kernel] ??= {}
          kernels[launch.kernel]![`sm_${architecture} ${precision}`] = figuresOf(launch)
        }
      }
    }
  }
  return found
}

export const measure = (): Ledger => ({
  compiler: compilerVersion(),
  code: code(),
  resources: resources(),
  launches: launches(),
})
