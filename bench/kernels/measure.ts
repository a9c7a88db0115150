// Times one op at a time through the addon, as its own profile sees it: without the way in and out.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bench } from 'tinybench'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { cpu } from '../../lib/runtime/target.ts'
import { encode, noise, type PlanValue, temporaryFolder } from '../../test/native/plans.ts'
import { type Summary, summarize } from '../statistics.ts'
import { type KernelCase, leastBytes, operandsOf } from './case.ts'

export interface KernelResult {
  readonly kernel: string
  readonly op: string
  readonly threads: number
  readonly ms: Summary
  readonly flop: number
  readonly bytes: number
}

export interface KernelOptions {
  readonly threads: number
  /** How long each case runs. */
  readonly seconds: number
}

/** Halves of 2^-6 to 2^-5: the speed of a product does not depend on its numbers. */
const halves = (count: number) => Uint16Array.from({ length: count }, (_, i) => 0x2400 + (i % 1024))

/** Rows or corners that every op takes, some of them often. */
const integers = (count: number) => Int32Array.from({ length: count }, (_, i) => i % 1024)

/** An op with its operands, ready to run. */
async function prepare(kernel: KernelCase, folder: string, threads: number) {
  const locations: WeightLocation[] = []
  const inputs: (Float32Array | Int32Array)[] = []
  const outputs: (Float32Array | Int32Array)[] = []
  const values: PlanValue[] = []
  const operands: Record<string, number> = {}
  for (const { name, role, shape, dtype, bytes } of operandsOf(kernel)) {
    if (dtype !== 'f32' && dtype !== 'f16' && dtype !== 'i32')
      throw new TypeError(`${kernel.name}: no data of ${dtype} to time.`)
    const count = shape.reduce((total, size) => total * size, 1)
    const data = {
      f16: () => halves(count),
      i32: () => integers(count),
      f32: () => noise(count, values.length + 1),
    }[dtype]()
    const places = { weight: locations, input: inputs, output: outputs }
    // A weight's own dtype stands with its location; what a plan counts is float32.
    const planned = role === 'weight' ? 'f32' : dtype
    operands[name] =
      values.push({ space: role, place: places[role].length, bytes: count * 4, dtype: planned }) - 1
    if (role !== 'weight') {
      places[role].push(data as Float32Array | Int32Array)
      continue
    }
    const path = join(folder, name)
    writeFileSync(path, data)
    locations.push({ path, offset: 0, dtype: dtype === 'f16' ? dtype : 'f32', shape })
    if (data.byteLength !== bytes) throw new RangeError(`${kernel.name}: ${name} is not of its size.`)
  }
  const { op, dims, params, matrices = 'stored' } = kernel
  const weights = await loadWeights(locations, { ...cpu, matrices })
  const program = compile(encode({ values, nodes: [{ op, dims, operands, params }] }), weights, {
    threads,
    profile: true,
  })
  return {
    /** Milliseconds of the op alone. */
    run: async () => (await program.run({ inputs, outputs }))![0]! * 1e3,
    async dispose() {
      await program.dispose()
      weights.dispose()
    },
  }
}

async function measure(kernel: KernelCase, { threads, seconds }: KernelOptions): Promise<KernelResult> {
  const folder = temporaryFolder()
  const prepared = await prepare(kernel, folder, threads)
  const samples: number[] = []
  try {
    const bench = new Bench({
      time: seconds * 1000,
      iterations: 5,
      warmupIterations: 2,
      warmupTime: 0,
      throws: true,
    })
    bench.add(kernel.name, async () => {
      const ms = await prepared.run()
      samples.push(ms)
      return { overriddenDuration: ms }
    })
    await bench.run()
  } finally {
    await prepared.dispose()
    rmSync(folder, { recursive: true })
  }
  return {
    ...{ kernel: kernel.name, op: kernel.op, threads },
    // The first two were the warm-up, with packing of the weights in them.
    ms: summarize(samples.slice(2)),
    ...{ flop: kernel.flop, bytes: leastBytes(kernel) },
  }
}

/** One result for each case, as it comes. */
export async function* measureKernels(
  cases: readonly KernelCase[],
  options: KernelOptions,
): AsyncGenerator<KernelResult, void, void> {
  for (const kernel of cases) yield await measure(kernel, options)
}
