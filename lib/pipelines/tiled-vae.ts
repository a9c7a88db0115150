// The autoencoder on pictures that are too large for it in one piece: the part with the small features sees the whole
// picture, attention included; the part with the large ones works strip by strip.

import type { VaeConfig } from '../models/configs.ts'
import { decoderReach, encoderReach, type Reach } from '../models/vae-reach.ts'
import { type Cut, chooseTiling, type Tiling } from './choose-tiling.ts'
import type { Model } from './model.ts'
import {
  decodeGraph,
  decodeHeadGraph,
  decodeTailGraph,
  encodeGraph,
  encodeHeadGraph,
  encodeTailGraph,
  type FeatureShape,
} from './stages.ts'
import { runInStrips } from './strip-stage.ts'

/** Latents of one picture, as (h, w). */
export interface LatentPlane {
  readonly h: number
  readonly w: number
}

const featuresOf = (
  { h, w }: LatentPlane,
  { factor }: VaeConfig,
  { scale, channels }: Reach,
): FeatureShape => [1, (h * factor) / scale, (w * factor) / scale, channels]

const lengthOf = ([, h, w, c]: FeatureShape) => h * w * c

const withRows = ([, , w, c]: FeatureShape, rows: number): FeatureShape => [1, rows, w, c]

/** Levels with a change of size after them. */
const levelsOf = ({ channels }: VaeConfig) => Array.from({ length: channels.length - 1 }, (_, level) => level)

/** What a decision depends on: a model, or as much of it. */
interface Planned extends Pick<Model, 'configs' | 'vaeTiling'> {
  readonly vae: Pick<Model['vae'], 'arenaBytes'>
}

/** Decisions that were made for a model, by what was to be done: each takes milliseconds of planning. */
const decided = new WeakMap<Planned, Map<string, Tiling | undefined>>()

function once(model: Planned, key: string, decide: () => Tiling | undefined): Tiling | undefined {
  const known = decided.get(model) ?? new Map<string, Tiling | undefined>()
  decided.set(model, known)
  if (!known.has(key)) known.set(key, decide())
  return known.get(key)
}

export const decodeTiling = (model: Planned, plane: LatentPlane): Tiling | undefined =>
  once(model, `decode ${plane.h}x${plane.w}`, () => chooseDecodeTiling(model, plane))

export const encodeTiling = (model: Planned, plane: LatentPlane): Tiling | undefined =>
  once(model, `encode ${plane.h}x${plane.w}`, () => chooseEncodeTiling(model, plane))

function chooseDecodeTiling({ vae, configs, vaeTiling }: Planned, plane: LatentPlane): Tiling | undefined {
  const cuts = levelsOf(configs.vae).map((level): Cut => {
    const reach = decoderReach(configs.vae, level)
    const shape = featuresOf(plane, configs.vae, reach)
    return {
      level,
      height: shape[1],
      reach: reach.rows,
      features: 4 * lengthOf(shape),
      piece: () => vae.arenaBytes(decodeHeadGraph(configs, plane, level)),
      strip: (rows) => vae.arenaBytes(decodeTailGraph(configs, withRows(shape, rows), level)),
    }
  })
  const whole = () => vae.arenaBytes(decodeGraph(configs, { n: 1, ...plane }))
  // The fewer levels are in strips, the less is computed again for each norm.
  return chooseTiling(vaeTiling, whole, cuts.reverse())
}

function chooseEncodeTiling({ vae, configs, vaeTiling }: Planned, plane: LatentPlane): Tiling | undefined {
  const cuts = levelsOf(configs.vae).map((level): Cut => {
    const reach = encoderReach(configs.vae, level)
    const shape = featuresOf(plane, configs.vae, reach)
    const width = plane.w * configs.vae.factor
    return {
      level,
      height: shape[1],
      reach: reach.rows,
      features: 4 * lengthOf(shape),
      piece: () => vae.arenaBytes(encodeTailGraph(configs, { n: 1, ...plane }, shape, level)),
      strip: (rows) => vae.arenaBytes(encodeHeadGraph(configs, { height: rows * reach.scale, width }, level)),
    }
  })
  return chooseTiling(vaeTiling, () => vae.arenaBytes(encodeGraph(configs, { n: 1, ...plane })), cuts)
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
  { plane, tiling: { level, count }, signal }: Run,
): Promise<void> {
  const reach = decoderReach(configs.vae, level)
  const shape = featuresOf(plane, configs.vae, reach)
  const features = new Float32Array(lengthOf(shape))
  await vae.run({
    key: `decode head ${level} ${plane.h}x${plane.w}`,
    graph: () => decodeHeadGraph(configs, plane, level),
    inputs: { latents },
    outputs: { features },
    signal,
  })
  await runInStrips({
    component: vae,
    key: `decode tail ${level} ${plane.w}`,
    graph: (rows) => decodeTailGraph(configs, withRows(shape, rows), level),
    height: shape[1],
    reach: reach.rows,
    count,
    input: { name: 'features', data: features },
    output: { name: 'pixels', data: pixels },
    signal,
  })
}

/** `pixels` (fh, fw, 3) and `noise` (n, h, w, c) to `latents` (n, h, w, c). */
export async function encodeInStrips(
  { vae, configs }: Model,
  data: { readonly pixels: Uint8Array; readonly noise: Float32Array; readonly latents: Float32Array },
  { plane, tiling: { level, count }, signal }: Run,
): Promise<void> {
  const { factor, latentChannels } = configs.vae
  const reach = encoderReach(configs.vae, level)
  const shape = featuresOf(plane, configs.vae, reach)
  const features = new Float32Array(lengthOf(shape))
  const width = plane.w * factor
  await runInStrips({
    component: vae,
    key: `encode head ${level} ${width}`,
    graph: (rows) => encodeHeadGraph(configs, { height: rows * reach.scale, width }, level),
    height: shape[1],
    reach: reach.rows,
    count,
    input: { name: 'pixels', data: data.pixels },
    output: { name: 'features', data: features },
    signal,
  })
  const n = data.noise.length / (plane.h * plane.w * latentChannels)
  await vae.run({
    key: `encode tail ${level} ${n} ${plane.h}x${plane.w}`,
    graph: () => encodeTailGraph(configs, { n, ...plane }, shape, level),
    inputs: { features, noise: data.noise },
    outputs: { latents: data.latents },
    signal,
  })
}
