// One stage at one size: every contender in a process of its own, loaded once, measured in turns.

import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { BenchError } from '../errors.ts'
import { launches } from '../peers/launch.ts'
import type { Contender, PeerName } from '../peers/names.ts'
import { PeerProcess } from '../peers/process.ts'
import type { Job, Stage } from '../peers/protocol.ts'
import { relativeL2, type Summary, summarize } from '../statistics.ts'
import { groupsThatFit } from './groups.ts'

export interface StageResult {
  readonly stage: Stage
  readonly model: string
  readonly size: number
  readonly batch: number
  readonly threads: number
  /** Of `image`. */
  readonly steps?: number
  /** Where it is not float32. */
  readonly arithmetic?: 'bf16'
  readonly contender: Contender
  readonly version: string
  /** Contenders with the same number were measured in turns with each other. */
  readonly group: number
  readonly ms: Summary
  /** Every measured run, in order. */
  readonly samples: readonly number[]
  /** From starting the process to the end of its first run: start-up, loading, compiling. */
  readonly coldMs: number
  readonly loadMs: number
  /** Of the whole process, where the system tells. */
  readonly peakRssBytes: number | undefined
  /** ||theirs - ours|| / ||ours||; undefined for tintype itself and for peers that give no output. */
  readonly relativeL2: number | undefined
  /** By definition of the model; undefined for `image`. */
  readonly flop: number | undefined
}

export interface Comparison {
  readonly job: Omit<Job, 'output'>
  /** Shown in results instead of a path. */
  readonly modelName: string
  readonly flop: number | undefined
  readonly against: readonly PeerName[]
  readonly repeats: number
  readonly availableBytes: number
  /** In float32. */
  readonly weightBytes: { readonly stage: number; readonly model: number }
  readonly folder: string
  readonly skip: (peer: string, reason: string) => void
  readonly note: (line: string) => void
}

/** Between runs, so that threads that wait by spinning have gone to sleep. */
const pauseMs = 100

interface Ready {
  readonly contender: Contender
  readonly process: PeerProcess
  readonly version: string
  readonly coldMs: number
  readonly loadMs: number
  readonly output: Float32Array | undefined
  readonly samples: number[]
}

const outputFile = (folder: string, contender: Contender) => `${folder}/output-${contender}`

async function readOutput(file: string): Promise<Float32Array> {
  const bytes = await readFile(file)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** Starts a contender for `use`, which ends it where it fails; undefined when it cannot take part. */
async function withProcess<T>(
  contender: Contender,
  { job, skip }: Comparison,
  use: (process: PeerProcess, version: string) => Promise<T>,
): Promise<T | undefined> {
  const { command, setup } = launches[contender]
  const process = new PeerProcess(contender, command(job.python), job.threads)
  const hello = await process.hello().catch((error: Error) => ({ missing: error.message }))
  if ('missing' in hello) {
    await process.end()
    if (contender === 'tintype') throw new BenchError(`tintype: ${hello.missing}.`, `To get it: ${setup}`)
    skip(contender, `${hello.missing}. To get it: ${setup}`)
    return undefined
  }
  try {
    return await use(process, hello.version)
  } catch (error) {
    await process.end()
    if (contender === 'tintype') throw error
    skip(contender, (error as Error).message)
    return undefined
  }
}

/** Makes what a contender runs, in a process that ends before anything is measured; false when it cannot. */
async function exportModel(contender: Contender, job: Job, comparison: Comparison): Promise<boolean> {
  comparison.note(`${contender}: exporting where it has not been`)
  const done = await withProcess(contender, comparison, async (process) => {
    await process.export(job)
    await process.end()
    return true
  })
  return done ?? false
}

/** Starts a contender and lets it run once, which is not measured; undefined when it cannot take part. */
async function start(contender: Contender, comparison: Comparison): Promise<Ready | undefined> {
  const { folder, note } = comparison
  const { givesOutput, exports } = launches[contender]
  const output = outputFile(folder, contender)
  const job = { ...comparison.job, output }
  if (exports && !(await exportModel(contender, job, comparison))) return undefined
  note(`${contender}: loading`)
  const begin = performance.now()
  return withProcess(contender, comparison, async (process, version) => {
    const { loadMs } = await process.prepare(job)
    const first = await process.run()
    const coldMs = performance.now() - begin
    note(`${contender}: first run ${first.toFixed(0)} ms`)
    const saved = givesOutput(job.stage)
    if (saved) await process.save()
    return {
      ...{ contender, process, version, coldMs, loadMs, samples: [] },
      output: saved ? await readOutput(output) : undefined,
    }
  })
}

/**
 * Each in turn, beginning with another one each time, so that nobody always runs after the same neighbour.
 *
 * @returns those that came through
 */
async function takeTurns(ready: readonly Ready[], { repeats, note, skip }: Comparison): Promise<Ready[]> {
  const failed = new Set<Ready>()
  for (let round = 0; round < repeats; round++) {
    for (let i = 0; i < ready.length; i++) {
      const one = ready[(round + i) % ready.length]!
      if (failed.has(one)) continue
      await wait(pauseMs)
      try {
        const ms = await one.process.run()
        one.samples.push(ms)
        note(`${one.contender}: run ${round + 1} of ${repeats} ${ms.toFixed(0)} ms`)
      } catch (error) {
        if (one.contender === 'tintype') throw error
        failed.add(one)
        skip(one.contender, (error as Error).message)
      }
    }
  }
  return ready.filter((one) => !failed.has(one))
}

async function measureGroup(
  group: number,
  contenders: readonly Contender[],
  comparison: Comparison,
): Promise<StageResult[]> {
  const { job, modelName, flop } = comparison
  const ready: Ready[] = []
  try {
    for (const contender of contenders) {
      const one = await start(contender, comparison)
      if (one) ready.push(one)
    }
    const measured = await takeTurns(ready, comparison)
    const ours = ready.find(({ contender }) => contender === 'tintype')?.output
    return measured.map(({ contender, process, version, coldMs, loadMs, output, samples }) => ({
      ...{ stage: job.stage, model: modelName, size: job.size, batch: job.batch, threads: job.threads },
      ...(job.picture && { steps: job.picture.steps }),
      ...(job.arithmetic === 'bf16' && { arithmetic: job.arithmetic }),
      ...{ contender, version, group, ms: summarize(samples), samples, coldMs, loadMs, flop },
      peakRssBytes: process.peakRss(),
      relativeL2: contender === 'tintype' || !output || !ours ? undefined : relativeL2(output, ours),
    }))
  } finally {
    await Promise.all(ready.map(({ process }) => process.end()))
  }
}

/** Measures tintype and those of the peers that are there. */
export async function compare(comparison: Comparison): Promise<StageResult[]> {
  const { job, against, weightBytes, availableBytes, skip } = comparison
  const does = (name: PeerName) => launches[name].stages.includes(job.stage)
  const multiplies = (name: PeerName) => job.arithmetic === 'f32' || launches[name].bf16 === true
  for (const name of against) {
    if (!does(name)) skip(name, `${name} does not do ${job.stage} by itself.`)
    else if (!multiplies(name)) skip(name, `${name} does not multiply in bf16 on the CPU.`)
  }
  const able = against.filter((name) => does(name) && multiplies(name))
  // Activations of the VAE grow with the picture, about 8 kB for each pixel.
  const activations = 8000 * job.batch * job.size ** 2
  const need = (name: Contender) => {
    const { memory, loads } = launches[name]
    return memory * weightBytes[loads] + activations
  }
  const groups = groupsThatFit(need('tintype'), able.map(need), availableBytes)
  const results: StageResult[] = []
  for (const [i, members] of groups.entries()) {
    results.push(
      ...(await measureGroup(i, ['tintype', ...members.map((member) => able[member]!)], comparison)),
    )
  }
  return results
}
