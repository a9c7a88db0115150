// The CLIP text encoder: token ids to embeddings (Radford et al., 2021).

import { activation, add, attention, embedding } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { TextEncoderConfig } from './configs.ts'
import { dense, normLayer } from './layers.ts'

function selfAttention(scope: Scope, x: Tensor, { hiddenSize, heads }: TextEncoderConfig): Tensor {
  const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name) => dense(scope, name, x, hiddenSize))
  return dense(scope, 'out_proj', attention(q!, k!, v!, { heads, causal: true }), hiddenSize)
}

function mlp(
  scope: Scope,
  x: Tensor,
  { hiddenSize, intermediateSize, activation: kind }: TextEncoderConfig,
): Tensor {
  const hidden = activation(dense(scope, 'fc1', x, intermediateSize), kind)
  return dense(scope, 'fc2', hidden, hiddenSize)
}

/**
 * Token ids (N, L) to the last hidden state after the final norm, (N, L, hiddenSize).
 *
 * SD 2.x conditions on the penultimate layer: its checkpoints come with one layer fewer, not with an option.
 */
export function clipText(root: Scope, ids: Tensor, config: TextEncoderConfig): Tensor {
  const { hiddenSize, vocabSize, maxPositions, layers, layerNormEps } = config
  return root.in('text_model', (scope) => {
    let x = scope.in('embeddings', (s) =>
      embedding(
        ids,
        s.weight('token_embedding.weight', vocabSize, hiddenSize),
        s.weight('position_embedding.weight', maxPositions, hiddenSize),
      ),
    )
    for (let i = 0; i < layers; i++) {
      x = scope.in(`encoder.layers.${i}`, (layer) => {
        const normed = normLayer(layer, 'layer_norm1', x, layerNormEps)
        const attended = add(
          x,
          layer.in('self_attn', (s) => selfAttention(s, normed, config)),
        )
        const normed2 = normLayer(layer, 'layer_norm2', attended, layerNormEps)
        return add(
          attended,
          layer.in('mlp', (s) => mlp(s, normed2, config)),
        )
      })
    }
    return normLayer(scope, 'final_layer_norm', x, layerNormEps)
  })
}
