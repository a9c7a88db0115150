// The text encoder's config.json (transformers' CLIPTextModel) as the numbers that its graph is built from.

import * as z from 'zod'
import { show } from '../show.ts'
import {
  type ConfigRules,
  checkHeads,
  count,
  epsilon,
  mostLayers,
  parseConfig,
  unsupported,
} from './config-file.ts'

export interface TextEncoderConfig {
  readonly vocabSize: number
  /** Width of a token's vector, and of the embeddings that the UNet attends to. */
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly layers: number
  readonly heads: number
  readonly headSize: number
  /** Tokens that it can read: 77. */
  readonly maxPositions: number
  /** Tokens of a prompt: as many, or fewer where the tokenizer gives fewer. */
  readonly tokens: number
  readonly activation: 'quick_gelu' | 'gelu'
  readonly layerNormEps: number
}

const rules = {
  used: {
    vocab_size: count(2 ** 20).default(49408),
    hidden_size: count(16384).default(512),
    intermediate_size: count(65536).default(2048),
    num_hidden_layers: count(mostLayers).default(12),
    num_attention_heads: count(1024).default(8),
    // The first and the last token of a prompt, and one between them.
    max_position_embeddings: z.int().min(3).max(4096).default(77),
    hidden_act: z.string().default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
  },
  fixed: {
    model_type: ['clip_text_model'],
    architectures: ['CLIPTextModel', null],
    use_attention_mask: [false],
    pruned_heads: [{}],
    is_decoder: [false],
    is_encoder_decoder: [false],
    add_cross_attention: [false],
    cross_attention_hidden_size: [null],
    quantization_config: [null],
  },
  // Training, generation and bookkeeping: everything else that transformers' PretrainedConfig has ever written.
  harmless: [
    ...[
      'attention_dropout',
      'dropout',
      'initializer_factor',
      'initializer_range',
      'projection_dim',
      'torch_dtype',
      'dtype',
    ],
    ...[
      'bos_token_id',
      'eos_token_id',
      'pad_token_id',
      'sep_token_id',
      'decoder_start_token_id',
      'transformers_version',
    ],
    ...[
      'bad_words_ids',
      'begin_suppress_tokens',
      'chunk_size_feed_forward',
      'diversity_penalty',
      'do_sample',
    ],
    ...[
      'early_stopping',
      'encoder_no_repeat_ngram_size',
      'exponential_decay_length_penalty',
      'finetuning_task',
    ],
    ...[
      'forced_bos_token_id',
      'forced_eos_token_id',
      'id2label',
      'label2id',
      'length_penalty',
      'max_length',
      'min_length',
    ],
    ...['no_repeat_ngram_size', 'num_beam_groups', 'num_beams', 'num_return_sequences', 'output_attentions'],
    ...[
      'output_hidden_states',
      'output_scores',
      'prefix',
      'problem_type',
      'remove_invalid_values',
      'repetition_penalty',
    ],
    ...[
      'return_dict',
      'return_dict_in_generate',
      'suppress_tokens',
      'task_specific_params',
      'temperature',
      'tf_legacy_loss',
    ],
    ...[
      'tie_encoder_decoder',
      'tie_word_embeddings',
      'tokenizer_class',
      'top_k',
      'top_p',
      'torchscript',
      'typical_p',
    ],
    ...['use_bfloat16', 'use_cache', 'gradient_checkpointing', 'name_or_path', 'num_labels'],
  ],
} satisfies ConfigRules<z.ZodRawShape>

/** @param file the path that error messages name */
export function parseTextEncoderConfig(json: unknown, file: string): TextEncoderConfig {
  const fields = parseConfig(json, file, rules)
  const activation = fields.hidden_act
  if (activation !== 'quick_gelu' && activation !== 'gelu') {
    throw unsupported(file, `hidden_act is ${show(activation)}; tintype supports "quick_gelu" or "gelu".`)
  }
  const [hiddenSize, heads] = [fields.hidden_size, fields.num_attention_heads]
  checkHeads(file, { field: 'num_attention_heads', heads, channels: hiddenSize })
  return {
    vocabSize: fields.vocab_size,
    hiddenSize,
    intermediateSize: fields.intermediate_size,
    layers: fields.num_hidden_layers,
    heads,
    headSize: hiddenSize / heads,
    maxPositions: fields.max_position_embeddings,
    tokens: fields.max_position_embeddings,
    activation,
    layerNormEps: fields.layer_norm_eps,
  }
}
