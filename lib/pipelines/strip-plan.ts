// How a picture is computed in strips: between which norms whole maps stay in memory, and where in one array each strip of
// them lies. Nothing is computed here.

import { elements, type Graph, type ValueId } from '../graph/graph.ts'
import { type Block, placeBlocks } from '../graph/plan-memory.ts'
import { convolutionProducts } from '../graph/products.ts'
import { reachOf } from '../graph/reach.ts'
import type { SharedNorms } from '../graph/share-norms.ts'
import { cutStrips, fewestRows, rowsOfStrip, type Strips } from './strips.ts'

/** From one stop of the graph to another, as lib/graph/share-norms.ts counts them. */
export interface Section {
  readonly from: number
  readonly to: number
}

export interface StripPlan {
  readonly strips: Strips
  readonly sections: readonly Section[]
  /**
   * Where each strip of each map begins, in elements: of the picture for pixels, of the array of all other maps for these.
   * What comes into the graph and what goes out of it lies in one piece, its strips overlap; any other strip lies by itself.
   */
  readonly places: ReadonlyMap<ValueId, readonly number[]>
  /** Of the array. */
  readonly elements: number
  /** Where in it the features lie: from the first element to before the second. */
  readonly features: readonly [number, number]
}

/** A plan and what it takes. */
export interface PlannedStrips {
  readonly plan: StripPlan
  /** Of all maps, and with the largest arena besides. */
  readonly mapBytes: number
  readonly bytes: number
  /** Of convolutions. */
  readonly products: number
}

export interface StripPlanner {
  /** Bytes of the whole maps in front of each norm, first that at stop 1. */
  readonly norms: readonly number[]
  /**
   * @param kept stops at which maps are kept, in order
   * @returns undefined where that many strips would meet others than their neighbours
   */
  readonly plan: (count: number, kept: readonly number[]) => PlannedStrips | undefined
}

/** Strips begin where cache lines do, in any type of number. */
const alignment = 64

const bytesPerElement = 4

/** A strip of a map, or a whole map, that has to be somewhere in the array. */
interface Placed extends Block {
  readonly map: ValueId
  /** Undefined where all strips lie in one piece. */
  readonly strip: number | undefined
}

/** What is to be placed: a graph with its norms shared, and the strips and sections that it is computed in. */
interface Layout {
  readonly shared: SharedNorms
  readonly sections: readonly Section[]
  readonly strips: Strips
  /** Elements of a map to each row of features. */
  readonly rowOf: (map: ValueId) => number
}

/** Elements of a map to each row of features, where it was traced for so many. */
export const elementsOfRow = ({ values }: SharedNorms, map: ValueId, rows: number): number =>
  elements(values[map]!.shape) / rows

export const isPixels = ({ values }: SharedNorms, map: ValueId): boolean => values[map]!.dtype === 'u8'

/** The blocks of a map. Moments are counted through the strips of all sections, in the order in which they are computed. */
function blocksOf({ shared, sections, strips: { rows, list }, rowOf }: Layout, map: ValueId): Placed[] {
  const stops = [0, ...sections.map(({ to }) => to)]
  const at = stops.flatMap((stop, i) => (shared.stops[stop]!.includes(map) ? [i] : []))
  // Made on the way to the first of these stops, read for the last time on the way from the last one.
  const made = Math.max(at[0]! - 1, 0) * list.length
  const read = Math.min(at.at(-1)!, sections.length - 1) * list.length
  const sizeOf = (some: number) => Math.ceil((some * rowOf(map)) / alignment) * alignment
  if (at[0] === 0 || at.at(-1) === sections.length) {
    const { start } = list.at(-1)!
    return [{ map, strip: undefined, size: sizeOf(start + rows), first: made, last: read + list.length - 1 }]
  }
  return list.map((_, strip) => ({ map, strip, size: sizeOf(rows), first: made + strip, last: read + strip }))
}

function placeMaps(layout: Layout): Pick<StripPlan, 'places' | 'elements' | 'features'> {
  const { shared, sections, strips, rowOf } = layout
  const inOnePiece = (map: ValueId, offset: number) =>
    strips.list.map(({ start }) => offset + start * rowOf(map))
  const maps = [...new Set([0, ...sections.map(({ to }) => to)].flatMap((stop) => shared.stops[stop]!))]
  const { placed, end } = placeBlocks(
    maps.flatMap((map) => (isPixels(shared, map) ? [] : blocksOf(layout, map))),
  )
  const places = new Map(maps.map((map) => [map, inOnePiece(map, 0)]))
  let features: readonly [number, number] = [0, 0]
  for (const { map, strip, offset } of placed) {
    if (strip === undefined) {
      places.set(map, inOnePiece(map, offset))
      features = [offset, offset + elements(shared.values[map]!.shape)]
    } else {
      places.get(map)![strip] = offset
    }
  }
  return { places, elements: end, features }
}

/** What a section takes where the picture is one strip. */
interface SectionCost {
  readonly reach: number
  readonly arenaBytes: number
  /** To measure the norms of the section, and to compute its maps. */
  readonly measured: number
  readonly computed: number
}

/**
 * @param shared traced for the whole picture
 * @param height rows of features
 * @param arenaBytes what the activations of a graph take
 */
export function stripPlanner(
  shared: SharedNorms,
  height: number,
  arenaBytes: (graph: Graph) => number,
): StripPlanner {
  const rowOf = (map: ValueId) => elementsOfRow(shared, map, height)
  const costs = new Map<string, SectionCost>()
  const costOf = ({ from, to }: Section): SectionCost => {
    const key = `${from} ${to}`
    const known = costs.get(key)
    if (known) return known
    const stops = Array.from({ length: to - from }, (_, i) => from + i).filter((stop) => stop > 0)
    const measures = stops.map((stop) => shared.measure(from, stop))
    const section = shared.section(from, to)
    const graphs = [...measures, section]
    const cost = {
      reach: Math.max(...graphs.map((graph) => reachOf(graph, height))),
      arenaBytes: Math.max(...graphs.map(arenaBytes)),
      measured: measures.reduce((sum, graph) => sum + convolutionProducts(graph), 0),
      computed: convolutionProducts(section),
    }
    costs.set(key, cost)
    return cost
  }

  return {
    norms: shared.stops
      .slice(1, -1)
      .map((maps) => bytesPerElement * height * maps.reduce((sum, map) => sum + rowOf(map), 0)),
    plan(count, kept) {
      const stops = [0, ...kept, shared.stops.length - 1]
      const sections = stops.slice(1).map((to, i) => ({ from: stops[i]!, to }))
      const each = sections.map(costOf)
      const reach = Math.max(...each.map((cost) => cost.reach))
      if (rowsOfStrip(height, count, reach) < fewestRows(reach)) return undefined
      const strips = cutStrips(height, count, reach)
      const placed = placeMaps({ shared, sections, strips, rowOf })
      const mapBytes = bytesPerElement * placed.elements
      // Arenas and work are in proportion to rows; norms are measured over the overlaps a second time.
      const [one, all] = [strips.rows / height, (count * strips.rows) / height]
      const workOf = ({ measured, computed }: SectionCost) => (2 * all - 1) * measured + all * computed
      return {
        plan: { strips, sections, ...placed },
        mapBytes,
        bytes: mapBytes + one * Math.max(...each.map((cost) => cost.arenaBytes)),
        products: each.reduce((sum, cost) => sum + workOf(cost), 0),
      }
    },
  }
}
