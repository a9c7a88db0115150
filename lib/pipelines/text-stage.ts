// Phase one: prompts to embeddings.

import { TintypeError } from '../errors.ts'
import type { Model } from './model.ts'
import { textGraph } from './stages.ts'

/** Prompts encoded in one run; bounds memory when somebody asks for hundreds. */
const largestBatch = 8

/** Characters of a cut prompt that a warning repeats. */
const longestQuote = 200

export interface EncodedTexts {
  /** (tokens, width) of a text that was asked for. */
  readonly of: (text: string) => Float32Array
  /** One for each text that was cut. */
  readonly warnings: readonly string[]
}

function checkIds(ids: Int32Array, vocabSize: number): void {
  const outside = ids.find((id) => id >= vocabSize)
  if (outside === undefined) return
  throw new TintypeError(
    'INVALID_CONFIG',
    `The tokenizer gives id ${outside}, but the text encoder has only ${vocabSize} tokens.`,
    { advice: 'Do tokenizer and text_encoder belong to the same model?' },
  )
}

/** Encodes each different text once. */
export async function encodeTexts(
  { tokenizer, textEncoder, configs }: Model,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<EncodedTexts> {
  const unique = [...new Set(texts)]
  const { maxPositions, tokens, hiddenSize, vocabSize } = configs.textEncoder
  const warnings: string[] = []
  const embeddings = new Map<string, Float32Array>()
  for (let first = 0; first < unique.length; first += largestBatch) {
    const batch = unique.slice(first, first + largestBatch)
    // Where a prompt has fewer tokens than there are positions, attention is causal: what comes after them changes nothing.
    const ids = new Int32Array(batch.length * maxPositions).fill(tokenizer.padId)
    batch.forEach((text, i) => {
      const { ids: own, truncated } = tokenizer.tokenize(text)
      checkIds(own, vocabSize)
      ids.set(own, i * maxPositions)
      if (truncated !== undefined) {
        const cut = truncated.length > longestQuote ? `${truncated.slice(0, longestQuote)}...` : truncated
        warnings.push(`The prompt is longer than ${tokens} tokens; this was cut: "${cut}"`)
      }
    })
    const size = maxPositions * hiddenSize
    const out = new Float32Array(batch.length * size)
    await textEncoder.run({
      key: `text ${batch.length}`,
      graph: () => textGraph(configs, batch.length),
      inputs: { ids },
      outputs: { embeddings: out },
      signal,
    })
    for (const [i, text] of batch.entries()) {
      embeddings.set(text, out.subarray(i * size, i * size + tokens * hiddenSize))
    }
  }
  return { of: (text) => embeddings.get(text)!, warnings }
}
