// The names that one and the same weight has had over the years, and the tensors that come along without being used.

import { shorten } from '../show.ts'

/** A name as a message shows it: whole for every model that there is, and short even when the file is hostile. */
export const shownName = (name: string): string => shorten(name, 200)

/** VAE files from before diffusers 0.12 name their attention so; 1x1 convolutions in the oldest. */
const oldAttention: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
}

/** The name under which equal weights meet: no `text_model.` (transformers 5 drops it), today's attention names. */
export function canonicalName(name: string): string {
  return name
    .replace(/^text_model\./, '')
    .replace(
      /(mid_block\.attentions\.\d+\.)(query|key|value|proj_attn)(\.(?:weight|bias))$/,
      (_, place: string, old: string, end: string) => `${place}${oldAttention[old]}${end}`,
    )
}

export function isAttentionProjection(name: string): boolean {
  return /mid_block\.attentions\.\d+\.to_(q|k|v|out\.0)\.weight$/.test(canonicalName(name))
}

/** Buffers and heads of other uses of CLIP; `name` is canonical. */
export function isHarmless(name: string): boolean {
  return ['embeddings.position_ids', 'text_projection.weight', 'logit_scale'].includes(name)
}
