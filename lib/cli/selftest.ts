// `tintype selftest`: the kernels' tests on the GPU of this machine, as a report to paste into an issue.

import type { DeviceName, GpuDescription, GpuPrecision, SelfTestReport } from '../index.ts'

export interface SelftestFlags {
  readonly device?: string
  readonly precision?: GpuPrecision | 'all'
  readonly only?: string
  readonly json?: boolean
}

/** All cases of an op in one precision. */
interface OpSummary {
  readonly op: string
  readonly precision: GpuPrecision
  readonly cases: number
  readonly failures: readonly { readonly title: string; readonly failure: string }[]
  /** Of the case that came nearest to its bound, or failed. */
  readonly error: number
  readonly limit: number
  readonly share: number
}

export function summarize(reports: readonly SelfTestReport[], precision: GpuPrecision): OpSummary[] {
  return [...new Set(reports.map(({ op }) => op))].map((op) => {
    const own = reports.filter((report) => report.op === op)
    const worst = own.reduce((most, report) => (report.share > most.share ? report : most))
    const failures = own.flatMap(({ title, failure }) => (failure === undefined ? [] : [{ title, failure }]))
    const { error, limit, share } = worst
    return { op, precision, cases: own.length, failures, error, limit, share }
  })
}

const scientific = (value: number) => (Number.isFinite(value) ? value.toExponential(1) : 'none')
const percent = (share: number) => (Number.isFinite(share) ? `${Math.round(share * 100)} %` : 'over')

export function formatReport(
  gpu: GpuDescription,
  summaries: readonly OpSummary[],
  { version, platform }: { readonly version: string; readonly platform: string },
): string {
  const total = summaries.reduce((sum, { cases }) => sum + cases, 0)
  const failures = summaries.flatMap((one) =>
    one.failures.map((failure) => ({ ...failure, ...one, title: failure.title })),
  )
  const memory = gpu.memoryMiB === undefined ? '' : `, ${gpu.memoryMiB} MiB`
  return [
    `tintype     ${version}, self-test of the CUDA kernels`,
    `GPU         ${gpu.name} (${gpu.architecture}${memory}), ${gpu.device}`,
    `driver      ${gpu.driver ?? 'unknown'}`,
    `system      ${platform}, Node ${process.version}`,
    '',
    `${'op'.padEnd(18)}${'type'.padEnd(6)}${'cases'.padStart(6)}${'error'.padStart(10)}${'bound'.padStart(10)}${'share'.padStart(7)}`,
    ...summaries.map(({ op, precision, cases, failures: wrong, error, limit, share }) =>
      [
        op.padEnd(18),
        precision.padEnd(6),
        String(cases).padStart(6),
        scientific(error).padStart(10),
        scientific(limit).padStart(10),
        percent(share).padStart(7),
        wrong.length > 0 ? `  ${wrong.length} FAILED` : '  passed',
      ].join(''),
    ),
    '',
    ...failures.flatMap(({ title, failure, precision }) => [
      `FAILED ${title} in ${precision}`,
      `  ${failure}`,
    ]),
    failures.length > 0 ? `FAILED: ${failures.length} of ${total} cases` : `passed: all ${total} cases`,
  ].join('\n')
}

/** Prints the report; the exit code is 1 when a case failed. */
export async function selftestCommand(
  { device = 'cuda', precision = 'all', only, json }: SelftestFlags,
  version: string,
): Promise<void> {
  const { describeGpu, selfTest } = await import('../index.js')
  const name = device as DeviceName
  const gpu = describeGpu(name)
  // Turing has no bf16.
  const all = (['f16', 'bf16', 'fast'] as const).filter(
    (one) => one !== 'bf16' || gpu.architecture !== 'sm_75',
  )
  const precisions = precision === 'all' ? all : [precision]
  const summaries: OpSummary[] = []
  for (const one of precisions) {
    const reports: SelfTestReport[] = []
    for await (const report of selfTest({ device: name, precision: one, only })) {
      reports.push(report)
      if (process.stderr.isTTY) process.stderr.write(`\r${one} ${reports.length} ${report.op.padEnd(20)}`)
    }
    summaries.push(...summarize(reports, one))
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${' '.repeat(40)}\r`)
  const platform = `${process.platform}-${process.arch}`
  console.log(
    json
      ? JSON.stringify({ version, platform, node: process.version, gpu, ops: summaries })
      : formatReport(gpu, summaries, { version, platform }),
  )
  if (summaries.some(({ failures }) => failures.length > 0)) process.exitCode = 1
}
