// The functions that models are written in: each checks its shapes and records one op of the table.

import { elements } from '../graph/graph.ts'
import { windowsOf } from '../graph/ops/token-merging.ts'
import type { Activation } from '../graph/spec.ts'
import type { Tensor } from './trace.ts'

const last = (x: Tensor) => x.shape.at(-1)!
const rows = (x: Tensor) => elements(x.shape) / last(x)
const withLast = (x: Tensor, c: number) => [...x.shape.slice(0, -1), c]

/** (..., K) with a weight of (N, K) gives (..., N). */
export function linear(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const [n, k] = w.shape as [number, number]
  if (last(x) !== k) x.trace.fail('linear', `K=${k}`, `${last(x)}`)
  return x.trace.emit('linear', {
    dims: { m: rows(x), n, k },
    operands: { x, w, bias },
    params: { activation: 'none', algorithm: 'direct' },
    outputs: { y: withLast(x, n) },
  }).y
}

export interface Conv2dOptions {
  readonly stride?: number
  /** The same on all sides, or [top, left, bottom, right]. */
  readonly padding?: number | readonly [number, number, number, number]
}

/** (N, H, W, C) with a weight of (O, C, KH, KW) gives (N, H', W', O). */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  const { stride = 1, padding = 0 } = options
  const [n, h, w, c] = x.shape as [number, number, number, number]
  const [o, inChannels, kh, kw] = weight.shape as [number, number, number, number]
  if (c !== inChannels) x.trace.fail('conv2d', `C=${inChannels}`, `${c}`)
  const [padTop, padLeft, padBottom, padRight] =
    typeof padding === 'number' ? [padding, padding, padding, padding] : padding
  const ho = Math.floor((h + padTop + padBottom - kh) / stride) + 1
  const wo = Math.floor((w + padLeft + padRight - kw) / stride) + 1
  if (ho < 1 || wo < 1) x.trace.fail('conv2d', `at least ${kh}x${kw} pixels with padding`, `${h}x${w}`)
  return x.trace.emit('conv2d', {
    dims: { n, h, w, c, ho, wo, o, kh, kw, rows: 1 },
    operands: { x, weight, bias },
    params: {
      stride,
      padTop,
      padLeft,
      padBottom,
      padRight,
      upsample: 1,
      activation: 'none',
      inputActivation: 'none',
      algorithm: 'direct',
    },
    outputs: { y: [n, ho, wo, o] },
  }).y
}

export interface AttentionOptions {
  readonly heads: number
  readonly causal?: boolean
}

/** Queries (N, Lq, C), keys and values (N, Lk, C), all with the heads side by side, give (N, Lq, C). */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { heads, causal = false }: AttentionOptions,
): Tensor {
  const [n, lq, c] = q.shape as [number, number, number]
  const lk = k.shape[1]!
  if (k.shape[2] !== c || v.shape[2] !== c)
    q.trace.fail('attention', `C=${c}`, `${k.shape[2]} and ${v.shape[2]}`)
  return q.trace.emit('attention', {
    dims: { n, lq, lk, c },
    operands: { q, k, v },
    params: { heads, scale: 1 / Math.sqrt(c / heads), mask: causal ? 'causal' : 'none', arithmetic: 'f32' },
    outputs: { y: q.shape },
  }).y
}

export interface MatchOptions {
  /** The map that the tokens are of, by rows. */
  readonly height: number
  readonly width: number
  /** Which corner, 0 to 3 by rows, each window of 2x2 tokens keeps: (windows), integers. */
  readonly corners: Tensor
  /** How many tokens are left, at least one for each window. */
  readonly kept: number
}

/** Tokens (N, L, C) give the rows (N, L) that they have after merging: integers, the same for tokens that become one. */
export function matchTokens(x: Tensor, { height, width, corners, kept }: MatchOptions): Tensor {
  const [n, l, c] = x.shape as [number, number, number]
  const windows = windowsOf(height, width)
  if (l !== height * width) x.trace.fail('matchTokens', `${height}x${width} tokens`, `${l}`)
  if (corners.shape[0] !== windows) x.trace.fail('matchTokens', `${windows} corners`, `${corners.shape}`)
  return x.trace.emit('matchTokens', {
    dims: { n, h: height, w: width, c, windows, kept },
    operands: { x, corners },
    outputs: { rows: [n, l] },
  }).rows
}

/** Tokens (N, L, C) and their rows (N, L) give (N, kept, C): the mean of the tokens of each row. */
export function mergeTokens(x: Tensor, rows: Tensor, kept: number): Tensor {
  const [n, hw, c] = x.shape as [number, number, number]
  if (`${rows.shape}` !== `${[n, hw]}`) x.trace.fail('mergeTokens', `rows of (${[n, hw]})`, `(${rows.shape})`)
  return x.trace.emit('mergeTokens', {
    dims: { n, hw, c, kept },
    operands: { x, rows },
    outputs: { y: [n, kept, c] },
  }).y
}

/** Adds to each token of `residual` (N, L, C) its row of x (N, kept, C). */
export function unmergeTokens(x: Tensor, rows: Tensor, residual: Tensor): Tensor {
  const [n, hw, c] = residual.shape as [number, number, number]
  if (x.shape[0] !== n || x.shape[2] !== c)
    x.trace.fail('unmergeTokens', `(${n}, kept, ${c})`, `(${x.shape})`)
  if (`${rows.shape}` !== `${[n, hw]}`)
    x.trace.fail('unmergeTokens', `rows of (${[n, hw]})`, `(${rows.shape})`)
  return x.trace.emit('unmergeTokens', {
    dims: { n, hw, c, kept: x.shape[1]! },
    operands: { x, rows, residual },
    outputs: { y: residual.shape },
  }).y
}

export interface NormOptions {
  readonly gamma: Tensor
  readonly beta: Tensor
  readonly eps: number
}

/** Over (N, ..., C): statistics per picture and group of channels. */
export function groupNorm(
  x: Tensor,
  { gamma, beta, eps, groups }: NormOptions & { readonly groups: number },
): Tensor {
  const c = last(x)
  if (gamma.shape[0] !== c) x.trace.fail('groupNorm', `C=${gamma.shape[0]}`, `${c}`)
  if (c % groups !== 0) x.trace.fail('groupNorm', `channels in ${groups} groups`, `${c}`)
  return x.trace.emit('groupNorm', {
    dims: { n: x.shape[0]!, hw: elements(x.shape.slice(1, -1)), c },
    operands: { x, gamma, beta },
    params: { groups, eps, activation: 'none' },
    outputs: { y: x.shape },
  }).y
}

/** Over (..., C): statistics per row. */
export function layerNorm(x: Tensor, { gamma, beta, eps }: NormOptions): Tensor {
  if (gamma.shape[0] !== last(x)) x.trace.fail('layerNorm', `C=${gamma.shape[0]}`, `${last(x)}`)
  return x.trace.emit('layerNorm', {
    dims: { m: rows(x), c: last(x) },
    operands: { x, gamma, beta },
    params: { eps },
    outputs: { y: x.shape },
  }).y
}

export function activation(x: Tensor, kind: Activation): Tensor {
  return x.trace.emit('activation', {
    dims: { count: elements(x.shape) },
    operands: { x },
    params: { activation: kind },
    outputs: { y: x.shape },
  }).y
}

export const silu = (x: Tensor): Tensor => activation(x, 'silu')

/** (..., 2C) gives (..., C): the first half times the GELU of the second. */
export function geglu(x: Tensor): Tensor {
  const n2 = last(x)
  return x.trace.emit('geglu', {
    dims: { m: rows(x), n: n2 / 2, n2 },
    operands: { x },
    outputs: { y: withLast(x, n2 / 2) },
  }).y
}

/** Ids (N, L) with a table of (rows, C) and positions of (L, C) give (N, L, C). */
export function embedding(ids: Tensor, table: Tensor, positions: Tensor): Tensor {
  const [n, l] = ids.shape as [number, number]
  const [rowCount, c] = table.shape as [number, number]
  if (positions.shape[0]! < l) ids.trace.fail('embedding', `at most ${positions.shape[0]} ids`, `${l}`)
  return ids.trace.emit('embedding', {
    dims: { m: n * l, c, rows: rowCount, length: positions.shape[0]! },
    operands: { ids, table, positions },
    outputs: { y: [n, l, c] },
  }).y
}

export interface TimestepOptions {
  readonly dim: number
  readonly cosFirst: boolean
  readonly shift: number
}

/** Timesteps (N) give (N, dim). */
export function timestepEmbedding(t: Tensor, { dim, cosFirst, shift }: TimestepOptions): Tensor {
  return t.trace.emit('timestepEmbedding', {
    dims: { m: t.shape[0]!, dim },
    operands: { t },
    params: { cosFirst: cosFirst ? 1 : 0, shift },
    outputs: { y: [t.shape[0]!, dim] },
  }).y
}

export function add(a: Tensor, b: Tensor): Tensor {
  if (`${a.shape}` !== `${b.shape}`) a.trace.fail('add', `(${a.shape})`, `(${b.shape})`)
  return a.trace.emit('add', {
    dims: { count: elements(a.shape) },
    operands: { a, b },
    outputs: { y: a.shape },
  }).y
}

/** Adds a row (N, C) or (1, C) to every pixel of (N, H, W, C). */
export function addRowBias(x: Tensor, rowBias: Tensor): Tensor {
  const c = last(x)
  if (last(rowBias) !== c) x.trace.fail('addRowBias', `C=${c}`, `${last(rowBias)}`)
  return x.trace.emit('addRowBias', {
    dims: { n: x.shape[0]!, hw: elements(x.shape.slice(1, -1)), c, rows: rowBias.shape[0]! },
    operands: { x, rowBias },
    outputs: { y: x.shape },
  }).y
}

/** `factor * by * x`, where `by` is a single number known at run time. */
export function scale(
  x: Tensor,
  { factor = 1, by }: { readonly factor?: number; readonly by?: Tensor },
): Tensor {
  return x.trace.emit('scale', {
    dims: { count: elements(x.shape), one: 1 },
    operands: { x, by },
    params: { factor },
    outputs: { y: x.shape },
  }).y
}

/** Along the channels. */
export function concat(a: Tensor, b: Tensor): Tensor {
  const [ca, cb] = [last(a), last(b)]
  if (rows(a) !== rows(b)) a.trace.fail('concat', `(${withLast(a, cb)})`, `(${b.shape})`)
  return a.trace.emit('concat', {
    dims: { m: rows(a), ca, cb, c: ca + cb },
    operands: { a, b },
    outputs: { y: withLast(a, ca + cb) },
  }).y
}

/** (N, ...) gives (times * N, ...): whole copies one after the other. */
export function tile(x: Tensor, times: number): Tensor {
  return x.trace.emit('tile', {
    dims: { times, count: elements(x.shape) },
    operands: { x },
    outputs: { y: [times * x.shape[0]!, ...x.shape.slice(1)] },
  }).y
}

/** (N, ...) and (M, ...) give (N + M, ...): one after the other. */
export function stack(a: Tensor, b: Tensor): Tensor {
  const [[n, ...rest], [m, ...others]] = [a.shape as [number], b.shape as [number]]
  if (`${rest}` !== `${others}`) a.trace.fail('stack', `(${[m, ...rest]})`, `(${b.shape})`)
  return concat(a.reshape(1, elements(a.shape)), b.reshape(1, elements(b.shape))).reshape(n + m, ...rest)
}

/** (N, H, W, C) gives (N, ho, wo, C): every pixel twice in both directions, the last ones once where that is odd. */
export function upsample(x: Tensor, ho: number, wo: number): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number]
  return x.trace.emit('upsample', {
    dims: { n, h, w, c, ho, wo },
    operands: { x },
    outputs: { y: [n, ho, wo, c] },
  }).y
}

/** Floats in [-1, 1] to bytes. */
export const toPixels = (x: Tensor): Tensor =>
  x.trace.emit('toPixels', { dims: { count: elements(x.shape) }, operands: { x }, outputs: { y: x.shape } }).y

/** Bytes to floats in [-1, 1]. */
export const fromPixels = (x: Tensor): Tensor =>
  x.trace.emit('fromPixels', { dims: { count: elements(x.shape) }, operands: { x }, outputs: { y: x.shape } })
    .y

/** Moments (..., 2C), mean before log-variance, give (..., C): the mean, or a sample where there is noise. */
export function sampleGaussian(moments: Tensor, factor: number, noise?: Tensor): Tensor {
  const c2 = last(moments)
  return moments.trace.emit('sampleGaussian', {
    dims: { m: rows(moments), c: c2 / 2, c2 },
    operands: { moments, noise },
    params: { factor },
    outputs: { y: withLast(moments, c2 / 2) },
  }).y
}

export interface Prediction {
  /** (N, H, W, C) */
  readonly latents: Tensor
  /** (copies * N, H, W, C): without guidance one prediction, else unconditional then conditional. */
  readonly model: Tensor
  /** In the order of `stepCoefficients`, then those of the history. */
  readonly coefficients: Tensor
}

const predictionDims = ({ latents, model, coefficients }: Prediction) => ({
  count: elements(latents.shape),
  copies: elements(model.shape) / elements(latents.shape),
  width: coefficients.shape[0]!,
})

/** The clean latents that a prediction stands for. */
export const predictClean = (prediction: Prediction): Tensor =>
  prediction.latents.trace.emit('predictClean', {
    dims: predictionDims(prediction),
    operands: { ...prediction },
    outputs: { y: prediction.latents.shape },
  }).y

/** Pulls outliers of each picture's (N, ...) values back to [-1, 1]. */
export function dynamicThreshold(
  x: Tensor,
  params: { readonly percentile: number; readonly max: number },
): Tensor {
  return x.trace.emit('dynamicThreshold', {
    dims: { n: x.shape[0]!, count: elements(x.shape.slice(1)) },
    operands: { x },
    params: { ...params },
    outputs: { y: x.shape },
  }).y
}

export interface StepOperands extends Prediction {
  readonly clean?: Tensor
  /** (depth, N, H, W, C) */
  readonly history?: Tensor
  readonly noise?: Tensor
}

/** One step of a sampler: the next latents and the next history. */
export function schedulerStep(step: StepOperands): {
  readonly latents: Tensor
  readonly history: Tensor | undefined
} {
  const { latents, history } = step
  const outputs = { y: latents.shape, ...(history && { newHistory: history.shape }) }
  const made: Record<string, Tensor> = latents.trace.emit('schedulerStep', {
    dims: { ...predictionDims(step), depth: history?.shape[0] ?? 0 },
    operands: { ...step },
    outputs,
  })
  return { latents: made.y!, history: made.newHistory }
}
