import { describe, expect, it } from 'vitest'
import { drawChart } from '../../bench/chart.ts'
import { leastBytes } from '../../bench/kernels/case.ts'
import { kernelCases } from '../../bench/kernels/cases.ts'
import { chartsOf, replaceResults } from '../../bench/publish.ts'
import type { Results } from '../../bench/results.ts'
import { stageCharts } from '../../bench/stages/charts.ts'
import { stageColumns, timesTintype } from '../../bench/stages/columns.ts'
import type { StageResult } from '../../bench/stages/compare.ts'
import { summarize } from '../../bench/statistics.ts'
import { digits, markdownTable, textTable } from '../../bench/table.ts'

const row = (contender: StageResult['contender'], ms: number, group = 0): StageResult => ({
  ...{ stage: 'unet', model: 'random', size: 512, batch: 2, threads: 2, contender, version: '1', group },
  ...{ ms: summarize([ms]), samples: [ms], coldMs: 2 * ms, loadMs: 1, flop: 1e9 },
  peakRssBytes: contender === 'openvino' ? undefined : 2e9,
  relativeL2: contender === 'tintype' ? undefined : 1e-6,
})

const rows = [row('tintype', 100), row('diffusers', 250), row('tintype', 200, 1), row('openvino', 300, 1)]

describe('tables', () => {
  it('compares with the tintype that ran in turns with a peer', () => {
    expect(rows.map((one) => timesTintype(one, rows))).toEqual([1, 2.5, 1, 1.5])
  })

  it('says what was not measured', () => {
    const table = textTable(stageColumns(rows, []), rows)
    expect(table.split('\n')[4]).toMatch(/openvino +300 ms .* 1\.50 .*not measured .*not measured +1\.0e-6/)
  })

  it('writes Markdown', () => {
    expect(
      markdownTable(
        [
          { title: 'a', align: 'left', of: String },
          { title: 'b', of: () => 'x' },
        ],
        [1],
      ),
    ).toBe('| a | b |\n| --- | ---: |\n| 1 | x |')
  })

  it('rounds to three digits', () => {
    expect([0.01234, 1.2345, 123.45, 12345, 0].map(digits)).toEqual([
      '0.0123',
      '1.23',
      '123',
      '12345',
      '0.00',
    ])
  })
})

describe('charts', () => {
  it('has one of time and one of memory for each condition, tintype in it once', () => {
    const charts = stageCharts(rows, 'avx2')
    const name = 'unet-512-batch2-threads2-avx2'
    expect([...charts.keys()]).toEqual([name, `${name}-memory`])
    const { bars } = charts.get(name)!
    expect(bars.map(({ label }) => label)).toEqual(['tintype', 'openvino', 'diffusers'])
  })

  it('tells bf16 from float32', () => {
    const inBf16 = rows.map((one) => ({ ...one, arithmetic: 'bf16' as const }))
    const all = [...rows, ...inBf16.map((one) => ({ ...one, ms: summarize([2 * one.ms.median]) }))]
    const charts = stageCharts(all, 'avx512')
    const name = 'unet-512-batch2-threads2-bf16-avx512'
    expect([...charts.keys()].filter((key) => !key.endsWith('memory'))).toContain(name)
    expect(charts.get(name)).toMatchObject({ title: expect.stringContaining(', bf16, avx512') })
    expect(charts.get(name)!.note).toContain('bf16 arithmetic')
    expect(textTable(stageColumns(all, []), all)).toMatch(/unet, bf16 +512/)
    expect(
      timesTintype(inBf16[1]!, [...rows.map((one) => ({ ...one, ms: summarize([1]) })), ...inBf16]),
    ).toBe(2.5)
  })

  it('has no name for two', () => {
    const of = (isa: string) => ({ stages: rows, machine: { isa } as Results['machine'] })
    expect(chartsOf([of('avx2'), of('avx512')]).size).toBe(4)
    expect(() => chartsOf([of('avx2'), of('avx2')])).toThrow('unet-512-batch2-threads2-avx2')
  })

  it('escapes what it writes and says it to those who do not see it', () => {
    const svg = drawChart({
      title: 'a < b',
      note: '',
      bars: [{ label: 'x', value: 1, text: '1 "s"', ours: true }],
    })
    expect(svg).toContain('aria-label="a &lt; b: x 1 &quot;s&quot;"')
    expect(svg).toContain('prefers-color-scheme: dark')
  })

  it('draws no number that is none', () => {
    const bar = { label: 'x', value: Number.NaN, text: '', ours: false }
    expect(() => drawChart({ title: 't', note: '', bars: [bar] })).toThrow('x is NaN')
  })
})

describe('replaceResults', () => {
  it('touches nothing outside of its markers', () => {
    const begin = '<!-- results: written by npm run bench:publish -->'
    const end = '<!-- end of results -->'
    expect(replaceResults(`a\n${begin}\nold\n${end}\nb`, 'new')).toBe(`a\n${begin}\n\nnew\n\n${end}\nb`)
    expect(() => replaceResults('a', 'new')).toThrow('markers')
  })
})

describe('cases of kernels', () => {
  it('have names of their own', () => {
    expect(new Set(kernelCases.map(({ name }) => name)).size).toBe(kernelCases.length)
  })

  it('count every operand once, matrices in half precision', () => {
    expect(leastBytes({ op: 'linear', dims: { m: 2, n: 3, k: 5 } })).toBe(4 * 10 + 2 * 15 + 4 * 6)
  })
})
