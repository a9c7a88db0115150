// Plans for the last level of a decoder like that of Stable Diffusion: where strips lie, and what that takes.

import { describe, expect, it } from 'vitest'
import { elements, type Graph } from '../../../lib/graph/graph.ts'
import { planMemory } from '../../../lib/graph/plan-memory.ts'
import { shareNorms } from '../../../lib/graph/share-norms.ts'
import type { VaeConfig } from '../../../lib/models/configs.ts'
import { decodeTailGraph, encodeHeadGraph } from '../../../lib/pipelines/stages.ts'
import { type PlannedStrips, stripPlanner } from '../../../lib/pipelines/strip-plan.ts'

const vae: VaeConfig = {
  ...{ latentChannels: 4, channels: [8, 16], layersPerBlock: 2, normGroups: 4, factor: 2, scalingFactor: 1 },
  ...{ midAttention: false, quantConv: false, postQuantConv: false },
}
const height = 64
const width = 8
const configs = { vae } as Parameters<typeof decodeTailGraph>[0]
const arenaBytes = (graph: Graph) => planMemory(graph).arenaBytes

const decoder = shareNorms(decodeTailGraph(configs, [1, height, width, 16], 0))
const encoder = shareNorms(encodeHeadGraph(configs, { height: 2 * height, width: 2 * width }, 0))
const ends = { decoder: decoder.stops.length - 1, encoder: encoder.stops.length - 1 }
const all = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Bytes of the features, and of a map of 8 channels at the full size. */
const features = 4 * height * width * 16
const map = 4 * (2 * height) * (2 * width) * 8

const cases = [
  ...[[], [3, 5, 7], all(7)].map((kept) => ({ name: 'decoder', shared: decoder, kept })),
  ...[[], [1, 3], all(4)].map((kept) => ({ name: 'encoder', shared: encoder, kept })),
].flatMap((each) => [2, 3, 5].map((count) => ({ ...each, count })))

describe('a plan of strips', () => {
  it('knows how large the maps in front of norms are', () => {
    // The enlarged features have twice the channels; the first block adds to a shortcut of its own.
    expect(ends).toEqual({ decoder: 8, encoder: 5 })
    expect(stripPlanner(decoder, height, arenaBytes).norms).toEqual([2, 2, 1, 2, 1, 2, 1].map((n) => n * map))
    expect(stripPlanner(encoder, height, arenaBytes).norms).toEqual([1, 2, 1, 2].map((n) => n * map))
  })

  it.each(cases)('of the $name: $count, $kept kept', ({ shared, kept, count }) => {
    const { plan, mapBytes, bytes } = stripPlanner(shared, height, arenaBytes).plan(count, kept)!
    const { strips, sections, places, elements: size } = plan
    expect(sections.map(({ to }) => to)).toEqual([...kept, shared.stops.length - 1])
    expect(sections.map(({ from }) => from)).toEqual([0, ...kept])
    expect(mapBytes).toBe(4 * size)
    expect(bytes).toBeGreaterThanOrEqual(mapBytes)

    // Who writes an element owns it until another does: each strip finds what was left for it.
    const owner = new Int32Array(size).fill(-1)
    const stripOf = (id: number, strip: number) => {
      const row = elements(shared.values[id]!.shape) / height
      const first = places.get(id)![strip]!
      return { first, end: first + strips.rows * row }
    }
    const isPixels = (id: number) => shared.values[id]!.dtype === 'u8'
    const inOnePiece = new Set([...shared.stops[0]!, ...shared.stops.at(-1)!])
    const tag = (id: number, strip: number) => 100 * id + (inOnePiece.has(id) ? 0 : strip)
    const write = (id: number, strip: number) => {
      const { first, end } = stripOf(id, strip)
      expect(first).toBeGreaterThanOrEqual(0)
      expect(end).toBeLessThanOrEqual(size)
      owner.fill(tag(id, strip), first, end)
    }
    const check = (id: number, strip: number) => {
      const { first, end } = stripOf(id, strip)
      expect(new Set(owner.subarray(first, end))).toEqual(new Set([tag(id, strip)]))
    }
    const mapsAt = (stop: number) => shared.stops[stop]!.filter((id) => !isPixels(id))
    const strip = [...strips.list.keys()]
    for (const id of mapsAt(0)) for (const i of strip) write(id, i)
    for (const { from, to } of sections) {
      const [read, there] = [mapsAt(from), mapsAt(to)]
      for (const i of strip) {
        for (const id of there) if (!read.includes(id)) write(id, i)
        // What a section writes leaves alone what it reads, of this strip and of those to come.
        for (const later of strip.slice(i)) for (const id of read) check(id, later)
      }
      for (const id of there) for (const i of strip) check(id, i)
    }
    const found = shared.values.findIndex(
      ({ shape }, id) => inOnePiece.has(id) && !isPixels(id) && shape[1] === height,
    )
    expect(plan.features[0]).toBe(places.get(found)![0])
    expect(plan.features[1] - plan.features[0]).toBe(elements(shared.values[found]!.shape))
  })

  it('needs no more than the largest maps in strips, and one strip to go on with', () => {
    const { plan, mapBytes } = stripPlanner(decoder, height, arenaBytes).plan(4, all(7))!
    const strip = (plan.strips.rows / height) * 2 * map
    expect(mapBytes).toBeLessThanOrEqual(5 * strip)
    // One map at a time takes half of that, and strips of what is computed on the way.
    const less = stripPlanner(decoder, height, arenaBytes).plan(4, [3, 5, 7])!
    expect(less.mapBytes).toBeLessThan(0.75 * mapBytes)
    expect(stripPlanner(decoder, height, arenaBytes).plan(4, [])!.mapBytes).toBe(features)
  })

  it('computes everything once where all is kept, and again for each norm where nothing is', () => {
    const { plan } = stripPlanner(decoder, height, arenaBytes)
    const work = (planned: PlannedStrips | undefined) => planned!.products
    const once = decoder.section(0, 8).nodes.reduce((sum, { op, dims }) => {
      return op === 'conv2d' ? sum + dims.ho! * dims.wo! * dims.o! * dims.c! * dims.kh! * dims.kw! : sum
    }, 0)
    // Two strips share two rows of 64.
    expect(work(plan(2, all(7)))).toBeCloseTo((66 / 64) * once)
    expect(work(plan(2, [3, 5, 7]))).toBeGreaterThan(1.5 * once)
    expect(work(plan(2, []))).toBeGreaterThan(1.5 * work(plan(2, [3, 5, 7])))
  })

  it('has none where strips would meet others than their neighbours', () => {
    const { plan } = stripPlanner(decoder, height, arenaBytes)
    expect([plan(6, []), plan(7, [])].map(Boolean)).toEqual([true, false])
    // Nearer stops see less far.
    expect([plan(20, all(7)), plan(21, all(7))].map(Boolean)).toEqual([true, false])
  })
})
