// Times one op at a time through the addon, as its own profile sees it: without the way in and out.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type OpName, opOf } from '../../lib/graph/ops.ts'
import { devices } from '../../lib/runtime/device.ts'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { encode, noise, type PlanValue, temporaryFolder } from '../../test/native/plans.ts'

export interface OpBench {
  readonly name: string
  readonly op: OpName
  readonly dims: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, number | string>>
  /** What the speed counts, in billions: floating-point operations or bytes. */
  readonly work: number
}

/** Shortest of the runs of about a second, in seconds: the machine is rarely alone. */
async function shortest({ op, dims, params }: OpBench, folder: string, threads: number): Promise<number> {
  const locations: WeightLocation[] = []
  const inputs: Float32Array[] = []
  const outputs: Float32Array[] = []
  const values: PlanValue[] = []
  const operands: Record<string, number> = {}
  for (const [name, { role, optional, dims: names }] of Object.entries(opOf(op).operands)) {
    if (optional) continue
    const shape = names.map((dim) => dims[dim]!)
    const data = noise(
      shape.reduce((product, dim) => product * dim, 1),
      values.length + 1,
    )
    const places = { weight: locations, input: inputs, output: outputs }
    operands[name] = values.push({ space: role, place: places[role].length, bytes: data.byteLength }) - 1
    if (role !== 'weight') {
      places[role].push(data)
      continue
    }
    const path = join(folder, `${op}-${name}`)
    writeFileSync(path, data)
    locations.push({ path, offset: 0, dtype: 'f32', shape })
  }
  const weights = await loadWeights(locations)
  const plan = encode({ values, nodes: [{ op, dims, operands, params }] })
  const program = compile(plan, weights, { threads, profile: true })
  let best = Number.POSITIVE_INFINITY
  const end = performance.now() + 1000
  do {
    const seconds = await program.run({ inputs, outputs })
    best = Math.min(best, seconds![0]!)
  } while (performance.now() < end)
  await program.dispose()
  weights.dispose()
  return best
}

/** Prints a line for each case, with its speed in `unit`. */
export async function measureOps(unit: 'GFLOP/s' | 'GB/s', cases: readonly OpBench[]): Promise<void> {
  const [cpu] = devices()
  const { values: flags } = parseArgs({ options: { threads: { type: 'string' } } })
  const threads = Number(flags.threads ?? cpu!.threads)
  console.log(`${cpu!.description}, ${cpu!.isa}, ${threads} threads`)
  const folder = temporaryFolder()
  try {
    for (const c of cases) {
      const seconds = await shortest(c, folder, threads)
      const speed = (c.work / seconds).toFixed(1).padStart(6)
      console.log(`${c.name.padEnd(52)} ${(seconds * 1e3).toFixed(3).padStart(9)} ms ${speed} ${unit}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
