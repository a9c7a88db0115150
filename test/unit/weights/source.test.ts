// What a graph asks of the weights: names old and new, shapes, types, and one error for all that does not fit.

import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { openWeights } from '../../../lib/weights/source.ts'
import { thrownBy } from '../models/thrown-by.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { writeTensors } from './write-safetensors.ts'

const folder = temporaryFolder()
const open = async (tensors: Parameters<typeof writeTensors>[1]) => {
  await writeTensors(folder('part/model.safetensors'), tensors)
  return openWeights(folder('part'))
}

beforeEach(async () => {
  await rm(folder('part'), { recursive: true, force: true })
  await mkdir(folder('part'))
})

describe('weights that fit', () => {
  it('become references, in the order in which they were asked for', async () => {
    const weights = await open({ a: ['F16', 2, 3], b: ['BF16', 4], c: ['F32', 1] })
    const c = weights.take('c', [1])
    weights.take('a', [2, 3])
    weights.take('b', [4])
    expect(weights.take('c', [1])).toBe(c)
    expect(weights.finish()).toEqual([
      {
        name: 'c',
        path: folder('part/model.safetensors'),
        offset: expect.any(Number),
        dtype: 'f32',
        shape: [1],
      },
      expect.objectContaining({ name: 'a', dtype: 'f16', shape: [2, 3] }),
      expect.objectContaining({ name: 'b', dtype: 'bf16', shape: [4] }),
    ])
    expect(weights).toMatchObject({ bytes: 24, dtypes: ['BF16', 'F16', 'F32'], variant: '' })
  })

  it.each([
    ['text_model.encoder.x', 'encoder.x'],
    ['encoder.x', 'text_model.encoder.x'],
    ['encoder.mid_block.attentions.0.to_q.bias', 'encoder.mid_block.attentions.0.query.bias'],
    ['decoder.mid_block.attentions.0.to_k.bias', 'decoder.mid_block.attentions.0.key.bias'],
    ['decoder.mid_block.attentions.0.to_v.bias', 'decoder.mid_block.attentions.0.value.bias'],
    ['decoder.mid_block.attentions.0.to_out.0.bias', 'decoder.mid_block.attentions.0.proj_attn.bias'],
  ])('%s is found as %s', async (wanted, stored) => {
    const weights = await open({ [stored]: ['F32', 4] })
    expect(weights.take(wanted, [4])).toMatchObject({ name: wanted, shape: [4] })
    expect(weights.finish().length).toBe(1)
  })

  it('an attention matrix may be stored as 1x1 convolution, and the other way round', async () => {
    const weights = await open({
      'encoder.mid_block.attentions.0.query.weight': ['F32', 4, 4, 1, 1],
      'encoder.mid_block.attentions.0.to_k.weight': ['F32', 4, 4],
    })
    const name = (end: string) => `encoder.mid_block.attentions.0.${end}.weight`
    expect(weights.take(name('to_q'), [4, 4])?.shape).toEqual([4, 4])
    expect(weights.take(name('to_k'), [4, 4, 1, 1])?.shape).toEqual([4, 4, 1, 1])
    weights.finish()
  })

  it('known companions may stay', async () => {
    const weights = await open({ 'text_model.embeddings.position_ids': ['I64', 1, 77], a: ['F32', 1] })
    weights.take('a', [1])
    expect(weights.finish().length).toBe(1)
  })

  it('come from every golden model', async () => {
    const golden = join(import.meta.dirname, '../../golden/pipelines')
    const sharded = await openWeights(join(golden, 'batch3/model/unet'))
    expect(
      new Set(
        [sharded.take('conv_in.weight', [8, 4, 3, 3]), sharded.take('conv_out.bias', [4])].map((ref) =>
          basename(ref!.path),
        ),
      ).size,
    ).toBe(2)
    const half = await openWeights(join(golden, 'sd2/model/vae'))
    expect(half.take('quant_conv.bias', [8])).toMatchObject({ dtype: 'f16' })
    const prefixless = await openWeights(join(golden, 'one-layer/model/text_encoder'))
    expect(prefixless.take('text_model.final_layer_norm.weight', [24])).toMatchObject({ dtype: 'bf16' })
  })
})

describe('weights that do not fit', () => {
  it('are told all at once, by name', async () => {
    const weights = await open({
      shape: ['F32', 2, 3],
      type: ['F8_E4M3', 4],
      'encoder.mid_block.attentions.0.query.bias': ['F64', 4],
      left: ['F16', 1, 2],
    })
    expect(weights.take('shape', [3, 2])).toBeUndefined()
    weights.take('type', [4])
    weights.take('encoder.mid_block.attentions.0.to_q.bias', [4])
    weights.take('gone', [7])
    weights.take('gone', [7])
    const error = await thrownBy(() => weights.finish())
    expect(error.code).toBe('INVALID_WEIGHTS')
    expect(error.message).toBe(
      [
        `${folder('part')}: 5 tensors do not fit the model that config.json describes:`,
        '  shape: expected (3, 2), got (2, 3)',
        '  type: expected F32, F16 or BF16, got F8_E4M3',
        '  encoder.mid_block.attentions.0.to_q.bias (in the file: encoder.mid_block.attentions.0.query.bias): expected F32, F16 or BF16, got F64',
        '  gone: missing, expected (7)',
        '  left: surplus, F16 (1, 2) ',
        'Do config.json and weights belong to the same model?',
      ].join('\n'),
    )
  })

  it('are counted beyond the first ten', async () => {
    const weights = await open({ a: ['F32', 1] })
    for (let i = 0; i < 30; i++) weights.take(`w${i}`, [1])
    const { message } = await thrownBy(() => weights.finish())
    expect(message).toContain('31 tensors do not fit')
    expect(message).toContain('w9: missing')
    expect(message).not.toContain('w10')
    expect(message).toContain('and 21 more')
  })

  it('are told in few words, however long their names are', async () => {
    const name = 'x'.repeat(1e5)
    const weights = await open({ [name]: ['F32', 1], [`text_model.${name}`]: ['F32', 1] })
    expect((await thrownBy(() => weights.finish())).message.length).toBeLessThan(1500)
  })

  it('one weight under two names', async () => {
    const weights = await open({ 'text_model.a': ['F32', 1], a: ['F32', 1] })
    weights.take('a', [1])
    expect((await thrownBy(() => weights.finish())).message).toContain('the same weight as')
  })

  it('a matrix where a 1x1 convolution is expected, outside of the old attention', async () => {
    const weights = await open({ 'proj_in.weight': ['F32', 4, 4] })
    weights.take('proj_in.weight', [4, 4, 1, 1])
    expect((await thrownBy(() => weights.finish())).message).toContain('1 tensor does not fit')
  })

  it('two shapes asked for one weight', async () => {
    const weights = await open({ a: ['F32', 2] })
    weights.take('a', [2])
    weights.take('a', [1])
    expect((await thrownBy(() => weights.finish())).message).toContain('expected (1), got (2)')
  })
})
