// The part of the autoencoder with the largest features, strip by strip. All strips are normalised by the statistics of
// the whole picture, so that they fit together without seams and give what the picture in one piece gives.

import { elements, type Graph, type ValueId } from '../graph/graph.ts'
import { type SharedNorms, shareNorms } from '../graph/share-norms.ts'
import type { Arrays, Component } from './component.ts'
import { type Norms, type Piece, poolNorms, probe } from './pooled-norms.ts'
import { elementsOfRow, isPixels, type Section, type StripPlan } from './strip-plan.ts'
import { overlapsOf, type Strips } from './strips.ts'

type Data = Float32Array | Uint16Array | Uint8Array

export interface StripStage {
  readonly component: Component
  /** Tells pictures apart whose graphs differ in more than the rows of a strip. */
  readonly key: string
  /** Traced for a strip of so many rows of features. */
  readonly graph: (rows: number) => Graph
  readonly plan: StripPlan
  /** Input or output: whatever the graph has in bytes. */
  readonly pixels: Uint8Array
  /** All other maps, where the plan has them. */
  readonly maps: Data
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

  /** The norms of `probe`, all of them. */
  async probe(): Promise<Norms> {
    const { probe: graph } = this.#shared
    const inputs = Object.fromEntries(
      graph.inputs.map((id) => {
        const { name, shape } = graph.values[id]!
        return [name, probe(shape[1]!)]
      }),
    )
    const outputs = outputsOf(graph)
    await this.#run('probe', () => graph, { inputs, outputs })
    return outputs
  }

  /** The norm at a stop over rows of a strip, where those before it are known. */
  async measure(from: number, stop: number, { strip, range, norms }: Rows): Promise<Norms> {
    const rows = range[1] - range[0]
    const graph = this.#sharedOf(rows).measure(from, stop)
    const outputs = outputsOf(graph)
    const inputs = { ...norms, ...this.#maps(this.#shared.stops[from]!, strip, range) }
    await this.#run(`norm ${stop} from ${from}, ${rows}`, () => graph, { inputs, outputs })
    return outputs
  }

  /** What a section makes of a strip. */
  async compute({ from, to }: Section, { strip, range, norms }: Rows): Promise<void> {
    const rows = range[1] - range[0]
    const inputs = { ...norms, ...this.#maps(this.#shared.stops[from]!, strip, range) }
    const outputs = this.#maps(this.made({ from, to }), strip, range)
    const graph = () => this.#sharedOf(rows).section(from, to)
    await this.#run(`${from} to ${to}, ${rows}`, graph, { inputs, outputs })
  }

  /** The maps that a section makes. */
  made({ from, to }: Section): readonly ValueId[] {
    const { stops } = this.#shared
    return stops[to]!.filter((map) => !stops[from]!.includes(map))
  }

  /** Rows of a map as a strip has them, the same memory. */
  part(map: ValueId, strip: number, [first, end]: Range): Data {
    const { plan, pixels, maps } = this.#stage
    const { rows, list } = plan.strips
    const row = elementsOfRow(this.#shared, map, rows)
    const data = isPixels(this.#shared, map) ? pixels : maps
    const from = plan.places.get(map)![strip]! + (first - list[strip]!.start) * row
    return data.subarray(from, from + (end - first) * row)
  }

  #maps(maps: readonly ValueId[], strip: number, range: Range): Arrays {
    return Object.fromEntries(maps.map((map) => [this.#shared.nameOf(map), this.part(map, strip, range)]))
  }

  get #shared(): SharedNorms {
    return this.#sharedOf(this.#stage.plan.strips.rows)
  }

  #sharedOf(rows: number): SharedNorms {
    const known = this.#graphs.get(rows) ?? shareNorms(this.#stage.graph(rows))
    this.#graphs.set(rows, known)
    return known
  }

  async #run(
    what: string,
    graph: () => Graph,
    { inputs, outputs }: { readonly inputs: Arrays; readonly outputs: Arrays },
  ): Promise<void> {
    const { component, key, signal } = this.#stage
    await component.run({ key: `${key}: ${what}`, graph, inputs, outputs, signal })
  }
}

/** Rows of a strip, and the norms that are known. */
interface Rows {
  readonly strip: number
  readonly range: Range
  readonly norms: Norms
}

/** Adds the norms of a section, one after the other: what each is of depends on those before it. */
async function measureNorms(
  runs: Runs,
  { from, to }: Section,
  {
    strips,
    norms: known,
    probed,
  }: { readonly strips: Strips; readonly norms: Norms; readonly probed: Norms },
): Promise<Norms> {
  let norms = known
  for (let stop = Math.max(from, 1); stop < to; stop++) {
    const pieces: Piece[] = []
    for (const [strip, { start }] of strips.list.entries()) {
      const range = [start, start + strips.rows] as const
      pieces.push({ norms: await runs.measure(from, stop, { strip, range, norms }), rows: strips.rows })
    }
    // What an inner edge makes wrong in two strips it makes as wrong in their overlap: taken back, every row counts once.
    for (const [above, range] of overlapsOf(strips).entries()) {
      const found = await runs.measure(from, stop, { strip: above + 1, range, norms })
      pieces.push({ norms: found, rows: range[0] - range[1] })
    }
    norms = { ...norms, ...poolNorms(pieces, probed) }
  }
  return norms
}

/** Computes what a section makes: every strip its own rows, which its neighbours then have from it where they overlap. */
async function computeMaps(runs: Runs, section: Section, strips: Strips, norms: Norms): Promise<void> {
  const made = runs.made(section)
  for (const [strip, { start, kept }] of strips.list.entries()) {
    const range = [start, start + strips.rows] as const
    if (strip === 0) {
      await runs.compute(section, { strip, range, norms })
      continue
    }
    const above = strip - 1
    const [ofAbove, ofBelow]: Range[] = [
      [start, kept[0]],
      [kept[0], strips.list[above]!.start + strips.rows],
    ]
    // A copy, for strips may lie in one piece: this one then overwrites them.
    const saved = made.map((map) => runs.part(map, above, ofAbove!).slice())
    await runs.compute(section, { strip, range, norms })
    for (const [i, map] of made.entries()) {
      runs.part(map, strip, ofAbove!).set(saved[i]!)
      runs.part(map, above, ofBelow!).set(runs.part(map, strip, ofBelow!))
    }
  }
}

/**
 * Computes the last maps from the first ones, section by section: for each norm of a section once up to it, to know its
 * statistics, and then once to the end of the section.
 */
export async function runInStrips(stage: StripStage): Promise<void> {
  const { component, plan, maps } = stage
  const { strips, sections } = plan
  const runs = new Runs(stage)
  // Kept maps take the place of what earlier programs worked in, which is given back before the next run.
  if (sections.length > 1) component.releaseWorkspace()
  const probed = await runs.probe()
  const [first, end] = plan.features
  component.requireMemory(maps.byteLength - maps.subarray(first, end).byteLength)
  let norms: Norms = {}
  for (const section of sections) {
    norms = await measureNorms(runs, section, { strips, norms, probed })
    await computeMaps(runs, section, strips, norms)
  }
}
