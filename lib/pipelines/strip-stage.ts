// The part of the autoencoder with the largest features, strip by strip. All strips are normalised alike, by statistics
// of the whole picture, so that they fit together without seams and give what the picture in one piece gives.

import { setImmediate as nextTick } from 'node:timers/promises'
import { elements, type Graph } from '../graph/graph.ts'
import { type SharedNorms, shareNorms } from '../graph/share-norms.ts'
import type { Arrays, Component } from './component.ts'
import { type Norms, type Piece, poolNorms, probe } from './pooled-norms.ts'
import { cutStrips, overlapsOf, type Strips, spreadBands } from './strips.ts'

/** Share of the picture that the first statistics are of. */
const sampled = 1 / 4

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
  /** How often the statistics are measured again, where those of the last time are applied. */
  readonly rounds: number
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

  constructor(stage: StripStage) {
    this.#stage = stage
  }

  /** The part of an input or output that belongs to rows of features, the same memory. */
  part({ data }: Rows, [first, end]: Range): Float32Array | Uint8Array {
    const row = data.length / this.#stage.height
    return data.subarray(first * row, end * row)
  }

  async norms(which: 'measure' | 'refine' | 'probe', rows: number, inputs: Arrays): Promise<Norms> {
    const outputs = outputsOf(this.#graphsOf(rows)[which])
    await this.#run(which, rows, inputs, outputs)
    return outputs
  }

  async refine(range: Range, norms: Norms): Promise<Norms> {
    const { input } = this.#stage
    return this.norms('refine', range[1] - range[0], { ...norms, [input.name]: this.part(input, range) })
  }

  async apply(range: Range, norms: Norms): Promise<void> {
    const { input, output } = this.#stage
    const inputs = { ...norms, [input.name]: this.part(input, range) }
    await this.#run('apply', range[1] - range[0], inputs, { [output.name]: this.part(output, range) })
  }

  #graphsOf(rows: number): SharedNorms {
    const known = this.#graphs.get(rows) ?? shareNorms(this.#stage.graph(rows))
    this.#graphs.set(rows, known)
    return known
  }

  async #run(which: keyof SharedNorms, rows: number, inputs: Arrays, outputs: Arrays): Promise<void> {
    const { component, key, signal } = this.#stage
    const graph = () => this.#graphsOf(rows)[which]
    await component.run({ key: `${key} ${which} ${rows}`, graph, inputs, outputs, signal })
  }
}

/** What the graph makes of bands from all over the picture, one below the other, as if they were the picture. */
async function measureSample(stage: StripStage, runs: Runs, most: number): Promise<Norms> {
  const { height, reach, input } = stage
  const band = 2 * reach
  const bands = spreadBands(height, band, Math.min(most, sampled * height))
  const size = bands.length * band * (input.data.length / height)
  const sample = input.data instanceof Uint8Array ? new Uint8Array(size) : new Float32Array(size)
  for (const [i, first] of bands.entries()) {
    const part = runs.part(input, [first, first + band])
    sample.set(part, i * part.length)
    // A band may be megabytes: the event loop gets its turn.
    await nextTick()
  }
  return runs.norms('measure', bands.length * band, { [input.name]: sample })
}

/** The norms of the whole picture where `norms` are applied. */
async function refine(cut: Strips, runs: Runs, norms: Norms): Promise<Norms> {
  const channels = new Set(Object.values(norms).map(({ length }) => length))
  const probes = Object.fromEntries([...channels].map((c) => [`probe ${c}`, probe(c)]))
  const probed = await runs.norms('probe', cut.rows, probes)
  const pieces: Piece[] = []
  for (const { start } of cut.list) {
    pieces.push({ norms: await runs.refine([start, start + cut.rows], norms), rows: cut.rows })
  }
  // What an inner edge makes wrong in two strips it makes as wrong in their overlap: taken back, every row counts once.
  for (const range of overlapsOf(cut)) {
    pieces.push({ norms: await runs.refine(range, norms), rows: range[0] - range[1] })
  }
  return poolNorms(pieces, probed)
}

/**
 * Computes `output` from `input`. Statistics of a sample of the picture come first. Applied to all strips they give
 * nearly those of the whole picture; applying these gives better ones. Each round makes at least one norm more exact
 * to rounding, and all others many times nearer.
 */
export async function runInStrips(stage: StripStage): Promise<void> {
  const { output } = stage
  const cut = cutStrips(stage.height, stage.count, stage.reach)
  const runs = new Runs(stage)
  let norms = await measureSample(stage, runs, cut.rows)
  for (let round = 0; round < stage.rounds; round++) norms = await refine(cut, runs, norms)

  for (const { start, kept } of cut.list) {
    // A strip overwrites the last rows of the one above, where at first that one was right and it is not.
    const above: Range = [start, kept[0]]
    const saved = runs.part(output, above).slice()
    await runs.apply([start, start + cut.rows], norms)
    if (start > 0) runs.part(output, above).set(saved)
  }
}
