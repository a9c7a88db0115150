// What kernels, stages and whole pictures cost on this machine, alone and against others.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { DeviceName } from '../lib/index.ts'
import { devices } from '../lib/runtime/device.ts'
import { type Arguments, parseArguments, usage } from './arguments.ts'
import { benchDevice, type DeviceModel } from './device.ts'
import { BenchError } from './errors.ts'
import { checkFresh } from './fresh.ts'
import { kernelCases } from './kernels/cases.ts'
import { kernelColumns } from './kernels/columns.ts'
import { type KernelResult, measureKernels } from './kernels/measure.ts'
import { describeMachine } from './machine.ts'
import { type BenchModel, benchModel, weightBytes } from './model.ts'
import { measurePeak, type Peak } from './peak/peak.ts'
import { type Results, resultsFormat, writeResults } from './results.ts'
import { stageColumns } from './stages/columns.ts'
import { compare, type StageResult } from './stages/compare.ts'
import { countFlop } from './stages/flop.ts'
import { stageGraph } from './stages/graphs.ts'
import { readPicture, writeInputs } from './stages/inputs.ts'
import { type PlannedStage, planStages } from './stages/plan.ts'
import { measureLoad, measureStart, type StartResult, startColumns } from './start/measure.ts'
import { textTable } from './table.ts'

/** Progress goes to stderr, results to stdout. */
const note = (line: string) => console.error(`  ${line}`)

const skipped = new Map<string, { readonly peer: string; readonly reason: string }>()

/** Says once why a peer is not there. */
function skip(peer: string, reason: string): void {
  if (skipped.has(peer + reason)) return
  skipped.set(peer + reason, { peer, reason })
  console.error(`${peer} skipped: ${reason}`)
}

/** Shares of peak are left out, and said to be, where the peak cannot be measured. */
async function peakOf(threads: number): Promise<Peak[]> {
  try {
    return [await measurePeak(threads)]
  } catch (error) {
    if (!(error instanceof BenchError)) throw error
    console.error(error.message)
    return []
  }
}

async function kernels({ only, seconds }: Arguments, threads: number): Promise<KernelResult[]> {
  const chosen = kernelCases.filter(({ name }) => name.includes(only))
  if (chosen.length === 0)
    throw new BenchError(`No kernel's name contains "${only}".`, 'Leave out --only to see all.')
  const results: KernelResult[] = []
  for await (const result of measureKernels(chosen, { threads, seconds })) {
    note(result.kernel)
    results.push(result)
  }
  return results
}

async function stage(planned: PlannedStage, model: BenchModel, args: Arguments): Promise<StageResult[]> {
  const { stage: name, size, batch, threads } = planned
  console.error(`${name} ${size}x${size}, batch ${batch}, threads ${threads}`)
  const folder = await mkdtemp(join(tmpdir(), 'tintype-bench-'))
  const { folder: weights, configs, cache } = model
  try {
    await mkdir(cache, { recursive: true })
    const inputs = await writeInputs({ stage: name, model: weights, configs, size, batch, folder })
    return await compare({
      job: {
        ...{ stage: name, model: weights, size, batch, threads, inputs, cache, python: args.python },
        arithmetic: args.arithmetic,
        ...(name === 'image' && { picture: await readPicture(weights, args.steps) }),
      },
      modelName: model.name,
      flop: name === 'image' ? undefined : countFlop(stageGraph(name, configs, planned)),
      against: args.against,
      repeats: args.repeats,
      availableBytes: args.memory === undefined ? process.availableMemory() * 0.8 : args.memory * 1e9,
      weightBytes: { stage: await weightBytes(weights, name), model: await weightBytes(weights, 'image') },
      ...{ folder, skip, note },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures all that was asked for; `keep` gets what there is after each part, so that nothing measured is lost. */
async function measure(args: Arguments, keep: (results: Results) => Promise<void>): Promise<Results> {
  const { subjects } = args
  const threads = args.threads.length > 0 ? args.threads : [devices()[0]!.threads]
  const peaks: Peak[] = []
  const measuredKernels: KernelResult[] = []
  const stages: StageResult[] = []
  const starts: StartResult[] = []
  const results = (): Results => ({
    format: resultsFormat,
    date: new Date().toISOString(),
    machine: describeMachine(),
    ...{ peaks, kernels: measuredKernels, stages, starts, skipped: [...skipped.values()] },
  })
  const add = async <T>(list: T[], measured: Promise<T[]>) => {
    list.push(...(await measured))
    await keep(results())
  }
  for (const count of threads) await add(peaks, peakOf(count))
  if (subjects.includes('kernels')) {
    for (const count of threads) await add(measuredKernels, kernels(args, count))
  }
  const planned = planStages(args, threads)
  const model = planned.length > 0 || subjects.includes('load') ? await benchModel(args, note) : undefined
  for (const one of planned) await add(stages, stage(one, model!, args))
  for (const count of threads) {
    const request = { threads: count, repeats: args.repeats, steps: args.steps }
    if (subjects.includes('load')) await add(starts, measureLoad(model!, request))
    if (subjects.includes('start')) await add(starts, measureStart(request))
  }
  return results()
}

function report({ machine, peaks, kernels: measured, stages, starts }: Results): void {
  const { cpu, cores, isa, node, commit } = machine
  console.log(`${cpu}, ${cores} cores, ${isa}, Node ${node}, tintype at ${commit ?? 'no commit'}`)
  for (const { threads, gflops, copyGBs } of peaks) {
    console.log(
      `peak with ${threads} threads: ${gflops} GFLOP/s of fused multiply-adds, ${copyGBs} GB/s of copying`,
    )
  }
  if (measured.length > 0) console.log(`\n${textTable(kernelColumns(peaks), measured)}`)
  if (stages.length > 0) console.log(`\n${textTable(stageColumns(stages, peaks), stages)}`)
  if (starts.length > 0) console.log(`\n${textTable(startColumns, starts)}`)
}

/** The folder that was named, or SD 1.5 and SDXL's shapes, each written when it is its turn. */
async function* deviceModels(args: Arguments): AsyncGenerator<DeviceModel, void, void> {
  const usual = { sd15: [512, 768, 1024], sdxl: [1024] } as const
  for (const architecture of args.model === undefined ? (['sd15', 'sdxl'] as const) : (['sd15'] as const)) {
    const { name, folder } = await benchModel({ ...args, architecture }, note)
    yield { name, folder, sizes: args.sizesGiven ? args.sizes : usual[architecture] }
  }
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    console.log(usage)
    return
  }
  const args = parseArguments(argv)
  // Everything else runs the sources.
  checkFresh({ dist: args.subjects.includes('start') })
  const { json } = args
  if (args.device !== undefined) {
    const { precision, steps, repeats } = args
    const device = args.device as DeviceName
    const results = await benchDevice(deviceModels(args), { device, precision, steps, repeats }, note)
    if (json !== undefined) await writeFile(json, JSON.stringify({ device, precision, results }))
    return
  }
  if (json !== undefined) await mkdir(dirname(resolve(json)), { recursive: true })
  report(
    await measure(args, async (results) => {
      if (json !== undefined) await writeResults(json, results)
    }),
  )
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BenchError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
