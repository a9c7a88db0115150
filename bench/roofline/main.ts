// What the CUDA kernels could do at best on GPUs that nobody ran them on: docs/cuda.md has these tables.
// usage: npm run roofline (nvcc must be there: the tests' device knows what the host part launches)

import type { Node } from '../../lib/graph/graph.ts'
import { lossOf } from '../../lib/selftest/fast-sums.ts'
import { build, missing } from '../../test/ptx/build.ts'
import { type Column, digits, markdownTable } from '../table.ts'
import { type Gpu, gpus, inFast } from './gpus.ts'
import { decodeNodes, stepNodes } from './graphs.ts'
import { budgetOf } from './model.ts'
import { isTensorBound, loopNames, pipesOf } from './pipes.ts'
import { titleOf } from './title.ts'
import { type Work, workOf } from './work.ts'

const reason = missing()
if (reason) throw new Error(`there is no device to ask for launches: ${reason}`)
build()

/** What tables have a line for. */
function classOf({ op, dims }: Node): string {
  if (op === 'conv2d') return dims.kh === 1 ? 'linear, 1x1' : 'convolution 3x3'
  if (op === 'upsampleConv2d') return 'convolution 3x3'
  if (op === 'linear' || op === 'projections' || op === 'concatLinear') return 'linear, 1x1'
  if (op === 'linearGeglu') return 'gated linear'
  if (op === 'attention') return dims.lq === dims.lk ? 'self-attention' : 'cross-attention'
  if (op === 'concatGroupNorm') return 'groupNorm'
  return op === 'groupNorm' || op === 'layerNorm' ? op : 'rest'
}

/** The same nodes as every GPU runs them, in the order of `gpus`. */
interface Row {
  readonly title: string
  readonly works: readonly (readonly Work[])[]
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

const budget = (row: Row, gpu: number) => {
  const budgets = row.works[gpu]!.map((work) => budgetOf(gpus[gpu]!, work))
  return {
    roofline: sum(budgets.map(({ roofline }) => roofline)),
    tiled: sum(budgets.map(({ tiled }) => tiled)),
    total: sum(budgets.map(({ total }) => total)),
  }
}

function rowsBy(nodes: readonly Node[], titleOf: (node: Node) => string): Row[] {
  const groups = new Map<string, Node[]>()
  for (const node of nodes) groups.set(titleOf(node), [...(groups.get(titleOf(node)) ?? []), node])
  return [...groups].map(([title, members]) => ({
    title,
    works: gpus.map((gpu: Gpu) => members.map((node) => workOf(node, gpu))),
  }))
}

const withTotal = (rows: readonly Row[]): Row[] => [
  ...rows,
  { title: '**all**', works: gpus.map((_, i) => rows.flatMap(({ works }) => works[i]!)) },
]

const ms = (seconds: number) => (seconds * 1e3).toFixed(2)
const microseconds = (seconds: number) => digits(seconds * 1e6)

const amounts: readonly Column<Row>[] = [
  { title: 'op', align: 'left', of: ({ title }) => title },
  { title: 'ops', of: ({ works }) => `${works[0]!.length}` },
  { title: 'kernels', of: ({ works }) => `${sum(works[1]!.map(({ launches }) => launches))}` },
  { title: 'GFLOP', of: ({ works }) => (sum(works[0]!.map(({ flop }) => flop)) / 1e9).toFixed(0) },
  { title: 'MB', of: ({ works }) => (sum(works[0]!.map(({ bytes }) => bytes)) / 1e6).toFixed(0) },
]

const times: readonly Column<Row>[] = gpus.flatMap((gpu, i) => [
  { title: `${gpu.name}: roofline`, of: (row: Row) => ms(budget(row, i).roofline) },
  { title: 'budget', of: (row: Row) => ms(budget(row, i).total) },
])

/** How much of the arithmetic of all waves is wanted. */
const fill = (gpu: Gpu, { flop, tiling }: Work) => {
  if (!tiling) return '-'
  const done = Math.ceil(tiling.blocks / gpu.processors) * gpu.processors * tiling.blockFlop
  return `${/(sliced_|paired_)?\d+([x_]\d+)?$/.exec(tiling.kernel)![0]}, ${tiling.blocks}, ${((100 * flop) / done).toFixed(0)} %`
}

const shapes: readonly Column<Row>[] = [
  { title: 'op', align: 'left', of: ({ title }) => title },
  { title: 'times', of: ({ works }) => `${works[0]!.length}` },
  ...gpus.flatMap((gpu, i): Column<Row>[] => [
    { title: `${gpu.name}: tile, blocks, fill`, of: ({ works }) => fill(gpu, works[i]![0]!) },
    { title: 'µs each', of: (row) => microseconds(budget(row, i).total / row.works[i]!.length) },
  ]),
]

const pipes: readonly Column<string>[] = [
  { title: 'loop of', align: 'left', of: (kernel) => kernel },
  ...gpus.map(
    (gpu): Column<string> => ({
      title: gpu.name,
      of: (kernel) => {
        const of = pipesOf(kernel, gpu)
        if (!of) return ''
        const cycles = [of.tensor, of.shared, of.issue, ...(of.exponentials > 0 ? [of.exponentials] : [])]
        return cycles.map((each) => each.toFixed(0)).join(' : ')
      },
    }),
  ),
]

/** Of the budget of all ops the share of those whose loop tensor cores bound, and of those that something else does. */
function shareOfLoops(works: readonly Work[], gpu: Gpu): string {
  const budgets = works.map((work) => ({
    bound: work.tiling && isTensorBound(work.tiling.kernel, gpu),
    total: budgetOf(gpu, work).total,
  }))
  const share = (bound: boolean | undefined) =>
    sum(budgets.filter((entry) => entry.bound === bound).map(({ total }) => total)) /
    sum(budgets.map(({ total }) => total))
  const percent = (part: number) => `${(100 * part).toFixed(0)} %`
  return `${percent(share(true))} in loops that tensor cores bound, ${percent(share(false))} in other loops of products`
}

/** In precision `fast`, of which attention has nothing. */
function fastRate(nodes: readonly Node[], gpu: Gpu): string {
  const rate = (part: 'roofline' | 'tiled' | 'total') =>
    digits(
      1 /
        sum(
          nodes.map((node) => {
            const own = lossOf(node.op, 'fast') > 0 ? inFast(gpu) : gpu
            return budgetOf(own, workOf(node, own))[part]
          }),
        ),
    )
  return `in fast ${rate('roofline')}, ${rate('tiled')} and ${rate('total')}`
}

function report(name: string, nodes: readonly Node[], longest: number): void {
  const classes = rowsBy(nodes, classOf).sort((a, b) => budget(b, 1).total - budget(a, 1).total)
  const all = withTotal(classes)
  console.log(`\n## ${name}: what there is to do\n\n${markdownTable(amounts, all)}`)
  console.log(`\n## ${name}: predicted ms\n\n${markdownTable([amounts[0]!, ...times], all)}`)
  const ops = rowsBy(nodes, titleOf).sort((a, b) => budget(b, 1).total - budget(a, 1).total)
  console.log(
    `\n## ${name}: predicted budget of single ops\n\n${markdownTable(shapes, ops.slice(0, longest))}`,
  )
  for (const [i, gpu] of gpus.entries()) {
    const { roofline, tiled, total } = budget(all.at(-1)!, i)
    console.log(
      `\n${gpu.name}: ${digits(1 / roofline)} a second by the roofline, ${digits(1 / tiled)} with tiles and waves, ` +
        `${digits(1 / total)} with launches; ${shareOfLoops(all.at(-1)!.works[i]!, gpu)}; ` +
        fastRate(nodes, gpu),
    )
  }
}

console.log(
  `## cycles of a processor for a step of a block: tensor cores : shared memory : issue : exponentials\n\n${markdownTable(pipes, loopNames)}`,
)
report('UNet step', stepNodes(), 24)
report('VAE decode', decodeNodes(), 10)
