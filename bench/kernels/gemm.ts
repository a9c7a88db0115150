// Times one matrix op at a time through the addon, as its own profile sees it: without the way in and out.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { opOf } from '../../lib/graph/ops.ts'
import { devices } from '../../lib/runtime/device.ts'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { encode, noise, type PlanValue, temporaryFolder } from '../../test/native/plans.ts'

export interface MatrixBench {
  readonly name: string
  readonly op: 'linear' | 'conv2d'
  readonly dims: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, number | string>>
  readonly flop: number
}

/** Shortest of the runs of about a second, in seconds: the machine is rarely alone. */
async function shortest({ op, dims, params }: MatrixBench, folder: string, threads: number): Promise<number> {
  const sizeOf = (names: readonly string[]) => names.reduce((product, name) => product * dims[name]!, 1)
  const specs = opOf(op).operands
  const matrix = op === 'linear' ? 'w' : 'weight'
  const path = join(folder, op)
  // Halves of 2^-6 to 2^-5: the speed of a product does not depend on its numbers.
  writeFileSync(
    path,
    Buffer.from(
      Uint16Array.from({ length: sizeOf(specs[matrix]!.dims) }, (_, i) => 0x2400 + (i % 1024)).buffer,
    ),
  )
  const weights = await loadWeights([
    { path, offset: 0, dtype: 'f16', shape: specs[matrix]!.dims.map((dim) => dims[dim]!) },
  ])
  const places = { x: 'input', [matrix]: 'weight', y: 'output' } as const
  const values: PlanValue[] = Object.entries(places).map(([name, space]) => {
    return { space, place: 0, bytes: sizeOf(specs[name]!.dims) * 4 }
  })
  const operands = Object.fromEntries(Object.keys(places).map((name, i) => [name, i]))
  const plan = encode({ values, nodes: [{ op, dims, operands, params }] })
  const program = compile(plan, weights, { threads, profile: true })
  const x = noise(sizeOf(specs.x!.dims))
  const y = new Float32Array(sizeOf(specs.y!.dims))
  let best = Number.POSITIVE_INFINITY
  const end = performance.now() + 1000
  do {
    const seconds = await program.run({ inputs: [x], outputs: [y] })
    best = Math.min(best, seconds![0]!)
  } while (performance.now() < end)
  await program.dispose()
  weights.dispose()
  return best
}

/** Prints a line for each case. */
export async function measure(cases: readonly MatrixBench[]): Promise<void> {
  const [cpu] = devices()
  const { values: flags } = parseArgs({ options: { threads: { type: 'string' } } })
  const threads = Number(flags.threads ?? cpu!.threads)
  console.log(`${cpu!.description}, ${cpu!.isa}, ${threads} threads`)
  const folder = temporaryFolder()
  try {
    for (const c of cases) {
      const seconds = await shortest(c, folder, threads)
      const speed = c.flop / seconds / 1e9
      console.log(
        `${c.name.padEnd(52)} ${(seconds * 1e3).toFixed(3).padStart(9)} ms ${speed.toFixed(0).padStart(5)} GFLOP/s`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
