// Plans that nobody should write: all are refused, or run without leaving their memory.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { opNames } from '../../lib/graph/ops.ts'
import { compile, loadWeights, type WeightSet } from '../../lib/runtime/program.ts'
import { everyOp } from './every-op.ts'
import {
  addAndDouble,
  encode,
  errorOf,
  linear,
  linearWeights,
  noise,
  temporaryFolder,
  words,
  writeWeights,
} from './plans.ts'

const [m, n, k] = [4, 8, 16]
const plan = linear(m, n, k)
let weights: WeightSet
beforeAll(async () => {
  weights = await loadWeights(linearWeights(n, k))
})

/** The plan of `linear` with one part replaced. */
const withNode = (change: object) => encode({ ...plan, nodes: [{ ...plan.nodes[0]!, ...change }] })
const withValue = (i: number, change: object) =>
  encode({ ...plan, values: plan.values.map((value, j) => (i === j ? { ...value, ...change } : value)) })
const withWord = (i: number, value: number) => words(plan).with(i, value).buffer
const operands = plan.nodes[0]!.operands

describe('compile refuses', () => {
  it.each([
    ['nothing', new ArrayBuffer(0), /header/],
    ['half a word', words(plan).buffer.slice(0, 33), /33 bytes/],
    ['another magic', withWord(0, 1), /header/],
    ['a future version', withWord(1, 2), /version 2/],
    ['an impossible arena', withWord(3, 0x80000000), /arena/],
    ['more values than there are', withWord(4, 1e6), /within its values/],
    ['more nodes than there are', withWord(5, 2), /before node 1/],
    ['fewer nodes than there are', withWord(5, 0), /left over/],
    ['a billion slots', withWord(6, 1e9), /slots/],
    ['an unknown space', withWord(8, 4), /value 0 lies in no space/],
    ['an unknown dtype', withWord(9, 5), /value 0 has no dtype/],
    ['a slot beyond the slots', withValue(0, { place: 1 }), /value 0 is slot 1 of 1/],
    ['a value beyond the arena', withValue(0, { space: 'arena', bytes: 64 }), /value 0 leaves the arena/],
    [
      'an unaligned value',
      encode({ ...addAndDouble(4), values: [{ space: 'arena', place: 4, bytes: 16 }] }),
      /aligned/,
    ],
    ['a weight beyond the weights', withValue(1, { place: 2 }), /value 1 is weight 2 of 2/],
    ['an unknown opcode', withWord(8 + 6 * 4, opNames.length), /opcode/],
    [
      'a value beyond the values',
      withNode({ operands: { ...operands, y: 4 } }),
      /\(linear\), y: is value 4 of 4/,
    ],
    [
      'a missing operand',
      withNode({ operands: { ...operands, x: 0xffffffff } }),
      /\(linear\), x: is missing/,
    ],
    ['a weight as input', withNode({ operands: { ...operands, x: 1 } }), /\(linear\), x: a weight/],
    ['an input as weight', withNode({ operands: { ...operands, w: 0 } }), /\(linear\), w: a weight/],
    ['an output over an input', withNode({ operands: { ...operands, y: 0 } }), /\(linear\), y: is written/],
    ['integers for floats', withValue(0, { dtype: 'i32' }), /\(linear\), x: has the wrong dtype/],
    [
      'too little memory',
      withValue(0, { bytes: m * k * 4 - 1 }),
      /\(linear\), x: 64 elements do not fit in 255/,
    ],
    ['no rows', withNode({ dims: { m: 0, n, k } }), /\(linear\), x: is empty/],
    [
      'an overflow',
      withNode({ dims: { m: 2 ** 31, n: 2 ** 31, k: 2 ** 31 } }),
      /x: .*(too large|do not fit)/,
    ],
    ['another shape of a weight', withNode({ dims: { m, n: k, k: n } }), /weight 0 has the shape \(8, 16\)/],
    ['a parameter out of range', withNode({ params: { activation: 4 } }), /activation: 4 is not in 0 to 3/],
    ["Strassen's algorithm for odd parts", withNode({ params: { algorithm: 1 } }), /do not fit together/],
    ['a negative parameter', withNode({ params: { activation: -1 } }), /activation: -1 is not/],
  ])('%s', async (_, bytes, message) => {
    const error = await errorOf(() => compile(bytes, weights))
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(message) })
  })

  it('half of a norm', async () => {
    const { plan: normed, weights: refs } = everyOp(join(temporaryFolder(), 'weights')).find(
      ({ op }) => op === 'linearGeglu',
    )!
    const [last] = normed.nodes.slice(-1)
    for (const left of ['gamma', 'beta']) {
      const nodes = [{ ...last!, operands: { ...last!.operands, [left]: 0xffffffff } }]
      const half = encode({ ...normed, nodes: [...normed.nodes.slice(0, -1), ...nodes] })
      const loaded = await loadWeights(refs)
      expect((await errorOf(() => compile(half, loaded))).message).toMatch(/do not fit together/)
    }
  })

  it('half of the moments of channels, those of a direct convolution, factors of nothing and of two sources', async () => {
    const all = everyOp(join(temporaryFolder(), 'weights'))
    const without = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 0xffffffff]))
    /** What is wrong with the plan of an op whose operands and parameters are replaced, if anything. */
    const faultOf = async (op: string, operands: Record<string, number>, params = {}) => {
      const { plan: whole, weights: refs } = all.find((one) => one.op === op)!
      const last = whole.nodes.at(-1)!
      const node = {
        ...last,
        ...{ params: { ...last.params, ...params }, operands: { ...last.operands, ...operands } },
      }
      const bytes = encode({ ...whole, nodes: [...whole.nodes.slice(0, -1), node] })
      const loaded = await loadWeights(refs)
      try {
        await compile(bytes, loaded).dispose()
        return undefined
      } catch (error) {
        return (error as Error).message
      }
    }
    const refused = /do not fit together/
    const direct = { algorithm: 0 }
    const norm = ['mean', 'factor', 'shift']
    const factors = all.find(({ op }) => op === 'groupFactors')!.plan.nodes.at(-1)!.operands
    const moments = { channelMean: factors.x!, channelVariance: factors.x! }

    expect(await faultOf('conv2d', without('channelMean'))).toMatch(refused)
    expect(await faultOf('conv2d', without('channelVariance'))).toMatch(refused)
    expect(await faultOf('conv2d', without(...norm), direct)).toMatch(refused)
    expect(await faultOf('groupFactors', without('x'))).toMatch(refused)
    expect(await faultOf('groupFactors', moments)).toMatch(refused)
    // What they lack or have too much is all that is wrong with them.
    expect(await faultOf('conv2d', without('channelMean', 'channelVariance'))).toBeUndefined()
    expect(
      await faultOf('conv2d', without('channelMean', 'channelVariance', ...norm), direct),
    ).toBeUndefined()
    expect(await faultOf('groupFactors', { ...moments, ...without('x') })).toBeUndefined()
  })

  it.each(['concatGroupNorm', 'concatLinear'])(
    'two values of %s that make another number of channels, or that no kernel could change over between',
    async (op) => {
      const all = everyOp(join(temporaryFolder(), 'weights'))
      const { plan: whole, weights: refs } = all.find((one) => one.op === op)!
      const last = whole.nodes.at(-1)!
      const { a, b } = last.operands
      const swapped = { dims: { ...last.dims, ca: 8, cb: 64 }, operands: { ...last.operands, a: b!, b: a! } }
      for (const wrong of [{ dims: { ...last.dims, cb: 7 } }, swapped]) {
        const bytes = encode({ ...whole, nodes: [...whole.nodes.slice(0, -1), { ...last, ...wrong }] })
        const loaded = await loadWeights(refs)
        expect((await errorOf(() => compile(bytes, loaded))).message).toMatch(/do not fit together/)
      }
    },
  )

  it('convolutions of enlarged pictures of other sizes, kernels or channels than GPUs sum the taps of', async () => {
    const faultOf = async (change: Readonly<Record<string, number>>) => {
      const dims = { n: 2, h: 3, w: 2, c: 8, ho: 6, wo: 4, o: 6, kh: 3, kw: 3, ...change }
      const { o, c, kh, kw } = dims
      const shape = kw > 1 ? [o, c, kh, kw] : kh > 1 ? [o, c, kh] : [o, c]
      const loaded = await loadWeights(writeWeights([{ shape, data: noise(o * c * kh * kw) }]))
      const values = [
        { space: 'input', place: 0, bytes: 4 * dims.n * dims.h * dims.w * c },
        { space: 'weight', place: 0, bytes: 0 },
        { space: 'output', place: 0, bytes: 4 * dims.n * dims.ho * dims.wo * o },
      ] as const
      const operands = { x: 0, weight: 1, y: 2 }
      try {
        await compile(encode({ values, nodes: [{ op: 'upsampleConv2d', dims, operands }] }), loaded).dispose()
        return undefined
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(await faultOf({})).toBeUndefined()
    expect(await faultOf({ c: 16 })).toBeUndefined()
    for (const wrong of [{ ho: 5 }, { wo: 5 }, { kh: 2 }, { kw: 2 }, { kw: 1 }, { c: 12 }])
      expect(await faultOf(wrong)).toMatch(/do not fit together/)
  })

  it('weights that are not there', async () => {
    expect(await errorOf(() => compile(encode(plan), null))).toMatchObject({ code: 'INTERNAL' })
  })

  it('every plan that is cut short', async () => {
    const whole = words(plan)
    for (let length = 0; length < whole.length; length++) {
      const error = await errorOf(() => compile(whole.slice(0, length).buffer, weights))
      expect(error.code).toBe('INTERNAL')
    }
  })

  it('one slot under two names', async () => {
    const values = [...plan.values, plan.values[0]!]
    const bytes = new Uint32Array(encode({ ...plan, values })).with(6, 1).buffer
    expect((await errorOf(() => compile(bytes, weights))).message).toMatch(/a second time/)
  })
})

describe('mutated plans', () => {
  // In a process of its own, so that a crash is seen as what it is.
  it('never crash the process', () => {
    const folder = temporaryFolder()
    const cases = everyOp(join(folder, 'weights.bin')).map(({ plan, weights }) => ({
      words: [...words(plan)],
      weights,
      inputs: plan.values.filter(({ space }) => space === 'input').map(({ bytes }) => bytes),
      outputs: plan.values.filter(({ space }) => space === 'output').map(({ bytes }) => bytes),
    }))
    expect(new Set(cases.map(({ words }) => words[4])).size).toBeGreaterThan(1)
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
    const script = fileURLToPath(new URL('children/fuzz.mjs', import.meta.url))
    const child = spawnSync(process.execPath, [script, join(folder, 'cases.json'), '40000'], {
      encoding: 'utf8',
    })
    expect(child.stderr).toBe('')
    expect(child.status, `signal ${child.signal}`).toBe(0)
    const { refused, ran } = JSON.parse(child.stdout) as { refused: number; ran: number }
    expect(refused).toBeGreaterThan(1000)
    expect(ran).toBeGreaterThan(1000)
  })
})
