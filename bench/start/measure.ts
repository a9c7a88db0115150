// What a user waits for before and around the arithmetic: the process, load(), the first op. Whole processes, warm files.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defaultModelFolder } from '../../lib/pipelines/default-model.ts'
import { bundle } from '../bundle.ts'
import { type Summary, summarize } from '../statistics.ts'
import type { Column } from '../table.ts'
import { milliseconds } from '../table.ts'

const execute = promisify(execFile)
const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export interface StartResult {
  readonly what: string
  readonly model: string
  readonly threads: number
  readonly ms: Summary
}

export interface StartRequest {
  readonly threads: number
  readonly repeats: number
}

async function node(threads: number, script: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, TINTYPE_THREADS: String(threads) }
  return (await execute(process.execPath, [script, ...args], { env })).stdout
}

/** One sample for each name from each run after the first, which brings the files into memory. */
async function repeat(
  repeats: number,
  once: () => Promise<Readonly<Record<string, number>>>,
): Promise<Map<string, Summary>> {
  await once()
  const samples = new Map<string, number[]>()
  for (let i = 0; i < repeats; i++) {
    for (const [name, ms] of Object.entries(await once()))
      samples.set(name, [...(samples.get(name) ?? []), ms])
  }
  return new Map([...samples].map(([name, list]) => [name, summarize(list)]))
}

const rowsOf = (summaries: ReadonlyMap<string, Summary>, model: string, threads: number): StartResult[] =>
  [...summaries].map(([what, ms]) => ({ what, model, threads, ms }))

/** From calling load() to its end, and to the end of the first op of the text encoder. */
export async function measureLoad(
  model: { readonly folder: string; readonly name: string },
  { threads, repeats }: StartRequest,
): Promise<StartResult[]> {
  const script = bundle(fileOf('load.mjs'))
  const summaries = await repeat(repeats, async () => {
    const { loadMs, firstOpMs } = JSON.parse(await node(threads, script, model.folder)) as {
      readonly loadMs: number
      readonly firstOpMs: number
    }
    return { 'load()': loadMs, 'load() and first op': firstOpMs }
  })
  return rowsOf(summaries, model.name, threads)
}

/** The embedded model from the start of the process to the end of it with the picture written, and in process. */
export async function measureStart({
  threads,
  repeats,
  steps,
}: StartRequest & { readonly steps: number }): Promise<StartResult[]> {
  const [commandLine, twice] = [fileOf('../../dist/cli/main.js'), fileOf('picture.mjs')]
  const folder = await mkdtemp(join(tmpdir(), 'tintype-start-'))
  const picture = ['red apple', '--seed', '1', '--steps', String(steps), '--model', defaultModelFolder]
  try {
    const summaries = await repeat(repeats, async () => {
      const begin = performance.now()
      await node(threads, commandLine, ...picture, '--output', join(folder, 'apple.png'))
      const whole = performance.now() - begin
      const { ms } = JSON.parse(await node(threads, twice, String(steps))) as { readonly ms: number }
      return {
        [`whole process, ${steps} steps, PNG written`]: whole,
        [`generate() again in one process, ${steps} steps`]: ms,
      }
    })
    return rowsOf(summaries, 'default', threads)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const startColumns: readonly Column<StartResult>[] = [
  { title: 'what', align: 'left', of: ({ what }) => what },
  { title: 'model', align: 'left', of: ({ model }) => model },
  { title: 'threads', of: ({ threads }) => String(threads) },
  { title: 'median', of: ({ ms }) => milliseconds(ms.median) },
  { title: 'quartiles', of: ({ ms }) => `${milliseconds(ms.lower)} - ${milliseconds(ms.upper)}` },
  { title: 'runs', of: ({ ms }) => String(ms.runs) },
]
