// The autoencoder on pictures that are too large for it in one piece: the part with the small features sees the whole
// picture, attention included; the part with the large ones works strip by strip.

import type { Graph } from '../graph/graph.ts'
import { convolutionProducts } from '../graph/products.ts'
import { shareNorms } from '../graph/share-norms.ts'
import type { VaeConfig } from '../models/configs.ts'
import { decoderFeatures, encoderFeatures, type Features } from '../models/vae-features.ts'
import { type Cut, chooseTiling, type Tiling } from './choose-tiling.ts'
import { withMaps } from './map-memory.ts'
import type { Model } from './model.ts'
import {
  decodeGraph,
  decodeHeadGraph,
  decodeTailGraph,
  encodeGraph,
  encodeHeadGraph,
  encodeTailGraph,
  type FeatureShape,
  vaeFeatures,
} from './stages.ts'
import { type StripPlanner, stripPlanner } from './strip-plan.ts'
import { runInStrips } from './strip-stage.ts'

/** Latents of one picture, as (h, w). */
export interface LatentPlane {
  readonly h: number
  readonly w: number
}

const shapeOf = (
  { h, w }: LatentPlane,
  { factor }: VaeConfig,
  { scale, channels }: Features,
): FeatureShape => [1, (h * factor) / scale, (w * factor) / scale, channels]

const bytesOf = ([, h, w, c]: FeatureShape) => 4 * h * w * c

const withRows = ([, , w, c]: FeatureShape, rows: number): FeatureShape => [1, rows, w, c]

/** Levels with a change of size after them. */
const levelsOf = ({ channels }: VaeConfig) => Array.from({ length: channels.length - 1 }, (_, level) => level)

/** What a decision depends on: a model, or as much of it. */
interface Planned extends Pick<Model, 'configs' | 'vaeTiling'> {
  readonly vae: Pick<Model['vae'], 'arenaBytes' | 'isOnGpu'>
}

/** As for programs, the limit only bounds what a service with ever new sizes keeps. */
const keptDecisions = 64

/** Decisions that were made for a model, by what was to be done: each takes up to some hundred milliseconds of planning. */
const decided = new WeakMap<Planned, Map<string, Tiling | undefined>>()

function once(model: Planned, key: string, decide: () => Tiling | undefined): Tiling | undefined {
  const known = decided.get(model) ?? new Map<string, Tiling | undefined>()
  decided.set(model, known)
  if (!known.has(key)) known.set(key, decide())
  if (known.size > keptDecisions) known.delete(known.keys().next().value!)
  return known.get(key)
}

export const decodeTiling = (model: Planned, plane: LatentPlane): Tiling | undefined =>
  once(model, `decode ${plane.h}x${plane.w}`, () => chooseDecodeTiling(model, plane))

export const encodeTiling = (model: Planned, plane: LatentPlane): Tiling | undefined =>
  once(model, `encode ${plane.h}x${plane.w}`, () => chooseEncodeTiling(model, plane))

/** For a graph of the whole picture, which has so many rows of features. */
function plannerFor({ vae }: Planned, graph: Graph, height: number): StripPlanner {
  const planner = stripPlanner(shareNorms(graph), height, (section) => vae.arenaBytes(section))
  // By its arithmetic a GPU computes a map again in less time than it fetches it.
  return vae.isOnGpu ? { ...planner, norms: [] } : planner
}

/** The decoder cut after a level. */
export function decoderCut(model: Planned, plane: LatentPlane, level: number): Cut {
  const { vae, configs } = model
  const shape = shapeOf(plane, configs.vae, decoderFeatures(configs.vae, level))
  return {
    level,
    piece() {
      const graph = decodeHeadGraph(configs, plane, level)
      const bytes = bytesOf(shape) + vae.arenaBytes(graph)
      // Before there are any other maps.
      return { products: convolutionProducts(graph), bytes: () => bytes }
    },
    strips: () => plannerFor(model, decodeTailGraph(configs, shape, level), shape[1]),
  }
}

/** The encoder cut after a level. */
export function encoderCut(model: Planned, plane: LatentPlane, level: number): Cut {
  const { vae, configs } = model
  const { factor } = configs.vae
  const shape = shapeOf(plane, configs.vae, encoderFeatures(configs.vae, level))
  const size = { height: plane.h * factor, width: plane.w * factor }
  return {
    level,
    piece() {
      const graph = encodeTailGraph(configs, { n: 1, ...plane }, shape, level)
      const bytes = vae.arenaBytes(graph)
      return { products: convolutionProducts(graph), bytes: (maps) => maps + bytes }
    },
    strips: () => plannerFor(model, encodeHeadGraph(configs, size, level), shape[1]),
  }
}

function chooseDecodeTiling(model: Planned, plane: LatentPlane): Tiling | undefined {
  const { vae, configs, vaeTiling } = model
  const whole = () => vae.arenaBytes(decodeGraph(configs, { n: 1, ...plane }))
  const cuts = levelsOf(configs.vae).map((level) => decoderCut(model, plane, level))
  return chooseTiling(vaeTiling, whole, cuts.reverse())
}

function chooseEncodeTiling(model: Planned, plane: LatentPlane): Tiling | undefined {
  const { vae, configs, vaeTiling } = model
  const whole = () => vae.arenaBytes(encodeGraph(configs, { n: 1, ...plane }))
  const cuts = levelsOf(configs.vae).map((level) => encoderCut(model, plane, level))
  return chooseTiling(vaeTiling, whole, cuts)
}

interface Run {
  readonly plane: LatentPlane
  readonly tiling: Tiling
  readonly signal: AbortSignal | undefined
}

/** `latents` (1, h, w, c) to `pixels`, (fh, fw, 3). */
export async function decodeInStrips(
  { vae, configs }: Model,
  { latents, pixels }: { readonly latents: Float32Array; readonly pixels: Uint8Array },
  { plane, tiling: { level, plan }, signal }: Run,
): Promise<void> {
  const shape = shapeOf(plane, configs.vae, decoderFeatures(configs.vae, level))
  vae.releaseWorkspace()
  await withMaps(vae, { elements: plan.elements, signal }, async (maps) => {
    await vae.run({
      key: `decode head ${level} ${plane.h}x${plane.w}`,
      graph: () => decodeHeadGraph(configs, plane, level),
      inputs: { latents },
      outputs: { [vaeFeatures]: maps.subarray(...plan.features) },
      signal,
    })
    await runInStrips({
      component: vae,
      key: `decode tail ${level} ${plane.w}`,
      graph: (rows) => decodeTailGraph(configs, withRows(shape, rows), level),
      ...{ plan, pixels, maps, signal },
    })
  })
}

/** `pixels` (fh, fw, 3) and `noise` (n, h, w, c) to `latents` (n, h, w, c). */
export async function encodeInStrips(
  { vae, configs }: Model,
  data: { readonly pixels: Uint8Array; readonly noise: Float32Array; readonly latents: Float32Array },
  { plane, tiling: { level, plan }, signal }: Run,
): Promise<void> {
  const { factor, latentChannels } = configs.vae
  const features = encoderFeatures(configs.vae, level)
  const shape = shapeOf(plane, configs.vae, features)
  const width = plane.w * factor
  const n = data.noise.length / (plane.h * plane.w * latentChannels)
  await withMaps(vae, { elements: plan.elements, signal }, async (maps) => {
    await runInStrips({
      component: vae,
      key: `encode head ${level} ${width}`,
      graph: (rows) => encodeHeadGraph(configs, { height: rows * features.scale, width }, level),
      ...{ plan, pixels: data.pixels, maps, signal },
    })
    await vae.run({
      key: `encode tail ${level} ${n} ${plane.h}x${plane.w}`,
      graph: () => encodeTailGraph(configs, { n, ...plane }, shape, level),
      inputs: { [vaeFeatures]: maps.subarray(...plan.features), noise: data.noise },
      outputs: { latents: data.latents },
      signal,
    })
  })
}
