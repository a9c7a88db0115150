// Puts results into docs/benchmarks.md: tables between its markers, charts beside it.
// usage: npm run bench:publish -- RESULTS.json ...

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Chart, drawChart } from './chart.ts'
import { BenchError } from './errors.ts'
import { kernelColumns } from './kernels/columns.ts'
import { type Results, readResults } from './results.ts'
import { stageCharts } from './stages/charts.ts'
import { stageColumns } from './stages/columns.ts'
import { startColumns } from './start/measure.ts'
import { gigabytes, markdownTable } from './table.ts'

const docs = fileURLToPath(new URL('../docs/', import.meta.url))
const page = join(docs, 'benchmarks.md')
const charts = join(docs, 'benchmarks')
const begin = '<!-- results: written by npm run bench:publish -->'
const end = '<!-- end of results -->'

/** The tables of one run, under the machine that they hold for. */
export function resultsAsMarkdown({
  machine,
  date,
  peaks,
  kernels,
  stages,
  starts,
  skipped,
}: Results): string {
  const { cpu, cores, isa, memoryBytes, os, arch, node, commit } = machine
  const versions = new Set(stages.map(({ version }) => version))
  const parts = [
    `${cpu}, ${cores} cores, ${isa}, ${gigabytes(memoryBytes)}, ${os} ${arch}, Node ${node}; tintype at ${commit ?? 'no commit'}; ${date.slice(0, 10)}.`,
    ...(versions.size > 0 ? [`Versions: ${[...versions].join('; ')}.`] : []),
    ...peaks.map(
      ({ threads, gflops, copyGBs }) =>
        `Peak with ${threads} threads: ${gflops} GFLOP/s of fused multiply-adds, ${copyGBs} GB/s of copying.`,
    ),
    ...(stages.length > 0 ? [markdownTable(stageColumns(stages, peaks), stages)] : []),
    ...(starts.length > 0 ? [markdownTable(startColumns, starts)] : []),
    ...(kernels.length > 0 ? [markdownTable(kernelColumns(peaks), kernels)] : []),
    ...skipped.map(({ peer, reason }) => `Without ${peer}: ${reason.split('\n')[0]}`),
  ]
  return parts.join('\n\n')
}

/** @throws BenchError where the markers are not there */
export function replaceResults(text: string, results: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) {
    throw new BenchError('docs/benchmarks.md has lost its markers.', `Put back ${begin} and ${end}.`)
  }
  return `${text.slice(0, from + begin.length)}\n\n${results}\n\n${text.slice(to)}`
}

/**
 * The charts of all files by name.
 *
 * @throws BenchError where two files have the same one
 */
export function chartsOf(all: readonly Pick<Results, 'stages' | 'machine'>[]): Map<string, Chart> {
  const charts = new Map<string, Chart>()
  for (const { stages, machine } of all) {
    for (const [name, chart] of stageCharts(stages, machine.isa)) {
      if (charts.has(name))
        throw new BenchError(
          `Two of the files have ${name}.`,
          'Leave one out: their charts would be one file.',
        )
      charts.set(name, chart)
    }
  }
  return charts
}

async function publish(files: readonly string[]): Promise<void> {
  if (files.length === 0)
    throw new BenchError('No results were named.', 'Make some with npm run bench -- --json FILE.')
  const all = await Promise.all(files.map(readResults))
  const drawn = chartsOf(all)
  await mkdir(charts, { recursive: true })
  for (const file of await readdir(charts)) if (file.endsWith('.svg')) await rm(join(charts, file))
  for (const [name, chart] of drawn) await writeFile(join(charts, `${name}.svg`), drawChart(chart))
  const pictures = [...drawn].map(([name, { title }]) => `![${title}](benchmarks/${name}.svg)`)
  const results = [...pictures, ...all.map(resultsAsMarkdown)].join('\n\n')
  await writeFile(page, replaceResults(await readFile(page, 'utf8'), results))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await publish(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof BenchError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
