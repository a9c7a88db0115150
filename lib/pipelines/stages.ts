// The graphs of a pipeline: each stage traced for the shapes that a generation needs.

import type { Graph } from '../graph/graph.ts'
import { handedOver } from '../graph/handed-over.ts'
import { type Hoisted, hoist } from '../graph/hoist.ts'
import { stepCoefficients } from '../graph/ops/scheduler-step.ts'
import { clipText } from '../models/clip.ts'
import type { ModelConfigs } from '../models/configs.ts'
import { mergedWindows } from '../models/token-merging.ts'
import { featureChannels, type UnetInputs, unetFrom, unetWithFeatures } from '../models/unet.ts'
import {
  vaeDecoder,
  vaeDecoderHead,
  vaeDecoderTail,
  vaeEncoder,
  vaeEncoderHead,
  vaeEncoderTail,
} from '../models/vae.ts'
import {
  dynamicThreshold,
  fromPixels,
  predictClean,
  sampleGaussian,
  scale,
  schedulerStep,
  stack,
  tile,
  toPixels,
} from '../tensor/functional.ts'
import { Scope } from '../tensor/scope.ts'
import { type Tensor, Trace } from '../tensor/trace.ts'
import type { StepKind } from './step-kinds.ts'

/** Latents of n pictures: (n, h, w, channels). */
export interface LatentSize {
  readonly n: number
  readonly h: number
  readonly w: number
}

export interface StepShape extends LatentSize, StepKind {
  readonly stochastic: boolean
  /** How many past predictions the sampler needs. */
  readonly historyLength: number
  readonly threshold: { readonly percentile: number; readonly max: number } | undefined
  /** Also give the predicted clean latents. */
  readonly wantClean: boolean
  /** The two predictions of a guided step one after the other, in the memory of one. */
  readonly sequentialGuidance?: boolean | undefined
  /** The share of the tokens that is merged before self-attention of the largest maps. */
  readonly tokenMerging?: number | undefined
}

/** Before the names of what belongs to negative prompts, where these are predicted for by themselves. */
type Prefix = 'negative ' | ''

/** The UNet's features, from one step to later ones. */
export const featuresOf = (prefix: Prefix = '') => handedOver(`${prefix}features`)

/** `ids` (n, positions) to `embeddings` (n, positions, width). */
export function textGraph({ textEncoder }: ModelConfigs, n: number): Graph {
  const trace = new Trace()
  const ids = trace.input('ids', 'i32', [n, textEncoder.maxPositions])
  trace.output('embeddings', clipText(new Scope(trace), ids, textEncoder))
  return trace.graph()
}

/** What the UNet makes of scaled `latents` (n, h, w, c). */
function predict(
  { unet: config, textEncoder }: ModelConfigs,
  { features }: StepKind,
  { latents, timestep, merging, prefix }: Omit<UnetInputs, 'context'> & { readonly prefix: Prefix },
): Tensor {
  const { trace } = latents
  const scope = new Scope(trace)
  const [n, h, w] = latents.shape as [number, number, number]
  const tokens = [n, textEncoder.tokens, config.crossAttentionDim]
  const inputs = { latents, timestep, merging, context: trace.input(`${prefix}context`, 'f32', tokens) }
  if (features === 'reuse') {
    const kept = trace.input(featuresOf(prefix), 'f32', [n, h, w, featureChannels(config)])
    return unetFrom(scope, { ...inputs, features: kept }, config)
  }
  const whole = unetWithFeatures(scope, inputs, config)
  if (features === 'keep') trace.output(featuresOf(prefix), whole.features)
  return whole.prediction
}

/**
 * One denoising step: `latents` (n, h, w, c) and `history` to the next ones, and `clean` where wanted. Nothing reads
 * the latents after they are written, so that input and output may be the same memory. Guidance reads negative prompts, then
 * prompts in `context`, or `negative context` and `context` where it is sequential. The UNet's features (`featuresOf`) are
 * outputs where they are kept, and inputs where they are used again. Where tokens are merged, `corners` says which each window keeps.
 */
export function stepGraph(configs: ModelConfigs, shape: StepShape): Graph {
  const { n, h, w, guided, stochastic, historyLength, threshold, wantClean, tokenMerging } = shape
  const size = [n, h, w, configs.unet.inChannels]
  const trace = new Trace()
  const latents = trace.input('latents', 'f32', size)
  const timestep = trace.input('timestep', 'f32', [1])
  const inputScale = trace.input('inputScale', 'f32', [1])
  const coefficients = trace.input('coefficients', 'f32', [stepCoefficients.length + historyLength])
  const history = historyLength > 0 ? trace.input('history', 'f32', [historyLength, ...size]) : undefined
  const noise = stochastic ? trace.input('noise', 'f32', size) : undefined

  const windows = mergedWindows(configs.unet, { height: h, width: w })
  const merging = tokenMerging
    ? { share: tokenMerging, corners: trace.input('corners', 'i32', [windows]) }
    : undefined

  const scaled = scale(latents, { by: inputScale })
  const predictFor = (latents: Tensor, prefix: Prefix = '') =>
    predict(configs, shape, { latents, timestep, merging, prefix })
  let model: Tensor
  if (!guided) model = predictFor(scaled)
  else if (shape.sequentialGuidance) model = stack(predictFor(scaled, 'negative '), predictFor(scaled))
  else model = predictFor(tile(scaled, 2))

  const prediction = { latents, model, coefficients }
  let clean = threshold || wantClean ? predictClean(prediction) : undefined
  if (clean && threshold) clean = dynamicThreshold(clean, threshold)
  const next = schedulerStep({
    ...prediction,
    ...(threshold && clean && { clean }),
    ...(history && { history }),
    ...(noise && { noise }),
  })
  trace.output('latents', next.latents)
  if (next.history) trace.output('history', next.history)
  if (wantClean && clean) trace.output('clean', clean)
  return trace.graph()
}

/** `stepGraph` in two: what depends on the prompt alone, such as its keys and values, and the rest of every step. */
export const stepGraphs = (configs: ModelConfigs, shape: StepShape): Hoisted =>
  hoist(stepGraph(configs, shape), new Set(['negative context', 'context']))

/** `latents` (n, h, w, c) in the UNet's scale to `pixels` (n, fh, fw, 3) in bytes. */
export function decodeGraph({ vae }: ModelConfigs, { n, h, w }: LatentSize): Graph {
  const trace = new Trace()
  const latents = trace.input('latents', 'f32', [n, h, w, vae.latentChannels])
  const unscaled = scale(latents, { factor: 1 / vae.scalingFactor })
  trace.output('pixels', toPixels(vaeDecoder(new Scope(trace), unscaled, vae)))
  return trace.graph()
}

/** `pixels` (1, fh, fw, 3) in bytes and unit `noise` (n, h, w, c) to n samples, `latents` in the UNet's scale. */
export function encodeGraph({ vae }: ModelConfigs, { n, h, w }: LatentSize): Graph {
  const trace = new Trace()
  const pixels = trace.input('pixels', 'u8', [1, h * vae.factor, w * vae.factor, 3])
  const noise = trace.input('noise', 'f32', [n, h, w, vae.latentChannels])
  const moments = vaeEncoder(new Scope(trace), fromPixels(pixels), vae)
  trace.output('latents', sampleGaussian(tile(moments, n), vae.scalingFactor, noise))
  return trace.graph()
}

/** Shape of the features between the parts of a graph that is cut: (1, h, w, c). */
export type FeatureShape = readonly [number, number, number, number]

/** The name of the features between those parts. */
export const vaeFeatures = handedOver('features')

/** `decodeGraph` for one picture to the end of level `cut`: `latents` to `vaeFeatures`. */
export function decodeHeadGraph({ vae }: ModelConfigs, { h, w }: Omit<LatentSize, 'n'>, cut: number): Graph {
  const trace = new Trace()
  const latents = trace.input('latents', 'f32', [1, h, w, vae.latentChannels])
  const unscaled = scale(latents, { factor: 1 / vae.scalingFactor })
  trace.output(vaeFeatures, vaeDecoderHead(new Scope(trace), unscaled, vae, cut))
  return trace.graph()
}

/** The rest of it: `vaeFeatures` to `pixels`. */
export function decodeTailGraph({ vae }: ModelConfigs, shape: FeatureShape, cut: number): Graph {
  const trace = new Trace()
  const features = trace.input(vaeFeatures, 'f32', shape)
  trace.output('pixels', toPixels(vaeDecoderTail(new Scope(trace), features, vae, cut)))
  return trace.graph()
}

/** `encodeGraph` to the end of level `cut`: `pixels` (1, height, width, 3) to `vaeFeatures`. */
export function encodeHeadGraph(
  { vae }: ModelConfigs,
  { height, width }: { readonly height: number; readonly width: number },
  cut: number,
): Graph {
  const trace = new Trace()
  const pixels = trace.input('pixels', 'u8', [1, height, width, 3])
  trace.output(vaeFeatures, vaeEncoderHead(new Scope(trace), fromPixels(pixels), vae, cut))
  return trace.graph()
}

/** The rest of it: `vaeFeatures` and unit `noise` (n, h, w, c) to n samples, `latents`. */
export function encodeTailGraph(
  { vae }: ModelConfigs,
  { n, h, w }: LatentSize,
  shape: FeatureShape,
  cut: number,
): Graph {
  const trace = new Trace()
  const features = trace.input(vaeFeatures, 'f32', shape)
  const noise = trace.input('noise', 'f32', [n, h, w, vae.latentChannels])
  const moments = vaeEncoderTail(new Scope(trace), features, vae, cut)
  trace.output('latents', sampleGaussian(tile(moments, n), vae.scalingFactor, noise))
  return trace.graph()
}
