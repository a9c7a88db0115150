// The part of the autoencoder with the largest features, strip by strip. All strips are normalised by the statistics of
// the whole picture, so that they fit together without seams and give what the picture in one piece gives.

import { elements, type Graph } from '../graph/graph.ts'
import { type SharedNorms, shareNorms } from '../graph/share-norms.ts'
import type { Arrays, Component } from './component.ts'
import { type Norms, type Piece, poolNorms, probe } from './pooled-norms.ts'
import { cutStrips, overlapsOf, type Strips } from './strips.ts'

/** An input or output of the graph, for the whole picture, row by row. */
export interface Rows {
  readonly name: string
  readonly data: Float32Array | Uint8Array
}

export interface StripStage {
  readonly component: Component
  /** Tells pictures apart whose graphs differ in more than the rows of a strip. */
  readonly key: string
  /** Traced for a strip of so many rows of features. */
  readonly graph: (rows: number) => Graph
  /** Rows of features of the whole picture, and how many of them next to an edge the edge makes wrong. */
  readonly height: number
  readonly reach: number
  /** How many strips. */
  readonly count: number
  readonly input: Rows
  /** Written in place. */
  readonly output: Rows
  readonly signal?: AbortSignal | undefined
}

/** Rows of features, from the first to before the second. */
type Range = readonly [number, number]

const outputsOf = (graph: Graph): Record<string, Float32Array> =>
  Object.fromEntries(
    graph.outputs.map(({ name, value }) => [name, new Float32Array(elements(graph.values[value]!.shape))]),
  )

/** Programs of a stage, by rows, and the memory that they work on. */
class Runs {
  readonly #stage: StripStage
  readonly #graphs = new Map<number, SharedNorms>()
  /** Of a strip. */
  readonly rows: number

  constructor(stage: StripStage, rows: number) {
    this.#stage = stage
    this.rows = rows
  }

  /** The part of an input or output that belongs to rows of features, the same memory. */
  part({ data }: Rows, [first, end]: Range): Float32Array | Uint8Array {
    const row = data.length / this.#stage.height
    return data.subarray(first * row, end * row)
  }

  /** How many norms there are in the graph. */
  get norms(): number {
    return this.#graphsOf(this.rows).count
  }

  /** The norms of `probe`, all of them. */
  async probe(): Promise<Norms> {
    const graph = this.#graphsOf(this.rows).probe
    const inputs = Object.fromEntries(
      graph.inputs.map((id) => {
        const { name, shape } = graph.values[id]!
        return [name, probe(shape[1]!)]
      }),
    )
    const outputs = outputsOf(graph)
    await this.#run('probe', this.rows, () => graph, { inputs, outputs })
    return outputs
  }

  /** One norm of a piece of the picture, where those before it are known. */
  async measure(index: number, range: Range, known: Norms): Promise<Norms> {
    const { input } = this.#stage
    const rows = range[1] - range[0]
    const graph = this.#graphsOf(rows).measure(index)
    const outputs = outputsOf(graph)
    const inputs = { ...known, [input.name]: this.part(input, range) }
    await this.#run(`norm ${index}`, rows, () => graph, { inputs, outputs })
    return outputs
  }

  async apply(range: Range, norms: Norms): Promise<void> {
    const { input, output } = this.#stage
    const rows = range[1] - range[0]
    const inputs = { ...norms, [input.name]: this.part(input, range) }
    const outputs = { [output.name]: this.part(output, range) }
    await this.#run('apply', rows, () => this.#graphsOf(rows).apply, { inputs, outputs })
  }

  #graphsOf(rows: number): SharedNorms {
    const known = this.#graphs.get(rows) ?? shareNorms(this.#stage.graph(rows))
    this.#graphs.set(rows, known)
    return known
  }

  async #run(
    what: string,
    rows: number,
    graph: () => Graph,
    { inputs, outputs }: { readonly inputs: Arrays; readonly outputs: Arrays },
  ): Promise<void> {
    const { component, key, signal } = this.#stage
    await component.run({ key: `${key} ${what} ${rows}`, graph, inputs, outputs, signal })
  }
}

/** The norms of the whole picture, one after the other: what each is of depends on those before it. */
async function measureNorms(cut: Strips, runs: Runs): Promise<Norms> {
  const probed = await runs.probe()
  let norms: Norms = {}
  for (let index = 0; index < runs.norms; index++) {
    const pieces: Piece[] = []
    for (const { start } of cut.list) {
      const found = await runs.measure(index, [start, start + cut.rows], norms)
      pieces.push({ norms: found, rows: cut.rows })
    }
    // What an inner edge makes wrong in two strips it makes as wrong in their overlap: taken back, every row counts once.
    for (const range of overlapsOf(cut)) {
      pieces.push({ norms: await runs.measure(index, range, norms), rows: range[0] - range[1] })
    }
    norms = { ...norms, ...poolNorms(pieces, probed) }
  }
  return norms
}

/** Computes `output` from `input`: once up to each norm, to know its statistics, and once to the end. */
export async function runInStrips(stage: StripStage): Promise<void> {
  const { output } = stage
  const cut = cutStrips(stage.height, stage.count, stage.reach)
  const runs = new Runs(stage, cut.rows)
  const norms = await measureNorms(cut, runs)
  for (const { start, kept } of cut.list) {
    // A strip overwrites the last rows of the one above, where at first that one was right and it is not.
    const above: Range = [start, kept[0]]
    const saved = runs.part(output, above).slice()
    await runs.apply([start, start + cut.rows], norms)
    if (start > 0) runs.part(output, above).set(saved)
  }
}
