// The UNet's spatial transformer: every pixel looks at all others, then at the prompt (Rombach et al., 2022, 3.3).

import { add, attention, geglu, matchTokens, mergeTokens, unmergeTokens } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { UnetAttention } from './configs.ts'
import { conv1x1, dense, normGroups, normLayer } from './layers.ts'
import { keptTokens, type MapSize, type TokenMerging } from './token-merging.ts'

export interface TransformerOptions {
  readonly attention: UnetAttention
  readonly groups: number
  /** Projections in and out as linear layers (SD 2.x) or as 1x1 convolutions (SD 1.x). */
  readonly linearProjection: boolean
  /** Text embeddings (N, L, D). */
  readonly context: Tensor
  /** Where self-attention sees fewer tokens. */
  readonly merging?: TokenMerging | undefined
}

/** Fixed in diffusers, whatever the config says of the residual blocks. */
const groupNormEps = 1e-6
const layerNormEps = 1e-5

function crossAttention(scope: Scope, x: Tensor, context: Tensor, heads: number): Tensor {
  const c = x.shape.at(-1)!
  const q = dense(scope, 'to_q', x, c, { bias: false })
  const k = dense(scope, 'to_k', context, c, { bias: false })
  const v = dense(scope, 'to_v', context, c, { bias: false })
  return scope.in('to_out', (s) => dense(s, '0', attention(q, k, v, { heads }), c))
}

function feedForward(scope: Scope, x: Tensor): Tensor {
  const c = x.shape.at(-1)!
  return scope.in('net', (s) => dense(s, '2', geglu(dense(s, '0.proj', x, 8 * c)), c))
}

/** What the layers of one transformer get. */
interface LayerOptions extends TransformerOptions {
  readonly map: MapSize
}

/** x and what its tokens see in each other. Where they are merged, those that become one see and are seen as one. */
function selfAttention(
  scope: Scope,
  x: Tensor,
  { attention: { heads }, map, merging }: LayerOptions,
): Tensor {
  const norm = normLayer(scope, 'norm1', x, layerNormEps)
  const attend = (tokens: Tensor) => scope.in('attn1', (s) => crossAttention(s, tokens, tokens, heads))
  const kept = keptTokens(map, merging?.share ?? 0)
  if (!merging || kept === x.shape[1]) return add(x, attend(norm))
  const rows = matchTokens(x, { ...map, corners: merging.corners, kept })
  return unmergeTokens(attend(mergeTokens(norm, rows, kept)), rows, x)
}

function transformerLayer(scope: Scope, x: Tensor, options: LayerOptions): Tensor {
  let h = selfAttention(scope, x, options)
  const norm2 = normLayer(scope, 'norm2', h, layerNormEps)
  h = add(
    h,
    scope.in('attn2', (s) => crossAttention(s, norm2, options.context, options.attention.heads)),
  )
  const norm3 = normLayer(scope, 'norm3', h, layerNormEps)
  return add(
    h,
    scope.in('ff', (s) => feedForward(s, norm3)),
  )
}

/** (N, H, W, C) gives the same shape. */
export function spatialTransformer(scope: Scope, x: Tensor, options: TransformerOptions): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number]
  const { heads, headSize, layers } = options.attention
  const width = heads * headSize
  const project = options.linearProjection ? dense : conv1x1
  const normed = normGroups(scope, 'norm', x, { groups: options.groups, eps: groupNormEps })
  let tokens = project(scope, 'proj_in', normed, width).reshape(n, h * w, width)
  for (let i = 0; i < layers; i++) {
    tokens = scope.in(`transformer_blocks.${i}`, (s) =>
      transformerLayer(s, tokens, { ...options, map: { height: h, width: w } }),
    )
  }
  return add(x, project(scope, 'proj_out', tokens.reshape(n, h, w, width), c))
}
