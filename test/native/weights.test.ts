// When weights are read, what is shared, and what happens to those that files no longer hold.

import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { cpu } from '../../lib/runtime/target.ts'
import { runsBf16 } from '../kernels/runs-bf16.ts'
import {
  encode,
  errorOf,
  type HandPlan,
  linear,
  linearWeights,
  noise,
  temporaryFolder,
  writeWeights,
} from './plans.ts'

const [m, n, k] = [4, 48, 64]
const stored = n * k * 4 + n * 4

const output = () => new Float32Array(m * n)
const expected = (rows = m) => {
  const [x, w, bias] = [noise(rows * k), noise(n * k, 2), noise(n, 3)]
  return Float32Array.from({ length: rows * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    let sum = 0
    for (let l = 0; l < k; l++) sum += x[i * k + l]! * w[j * k + l]!
    return sum + bias[j]!
  })
}

function expectClose(actual: Float32Array, wanted: Float32Array) {
  expect(actual.length).toBe(wanted.length)
  // k products of numbers below 1, rounded k times.
  const bound = k * k * 2 ** -24
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(actual[i]! - wanted[i]!)).toBeLessThan(bound)
}

describe('weights', () => {
  it('are read at their first use, and packed once for all programs', async () => {
    using weights = await loadWeights(linearWeights(n, k))
    await using program = compile(encode(linear(m, n, k)), weights)
    expect(weights.bytes).toEqual({ stored, resident: 0 })
    const y = output()
    await program.run({ inputs: [noise(m * k)], outputs: [y] })
    expectClose(y, expected())
    const { resident } = weights.bytes
    expect(resident).toBeGreaterThanOrEqual(stored)
    await using taller = compile(encode(linear(3 * m, n, k)), weights)
    const z = new Float32Array(3 * m * n)
    await taller.run({ inputs: [noise(3 * m * k)], outputs: [z] })
    expectClose(z, expected(3 * m))
    expect(weights.bytes.resident).toBe(resident)
  })

  it('need no file once they are read', async () => {
    const locations = linearWeights(n, k)
    using weights = await loadWeights(locations)
    await using program = compile(encode(linear(m, n, k)), weights)
    await program.run({ inputs: [noise(m * k)], outputs: [output()] })
    truncateSync(locations[0]!.path, 0)
    rmSync(locations[0]!.path)
    const y = output()
    await program.run({ inputs: [noise(m * k)], outputs: [y] })
    expectClose(y, expected())
  })

  it('of a file that was truncated after loading are told, and the process lives on', async () => {
    const locations = linearWeights(n, k)
    using weights = await loadWeights(locations)
    await using program = compile(encode(linear(m, n, k)), weights)
    truncateSync(locations[0]!.path, 100)
    for (let again = 0; again < 2; again++) {
      const error = await errorOf(program.run({ inputs: [noise(m * k)], outputs: [output()] }))
      expect(error).toMatchObject({
        code: 'INVALID_WEIGHTS',
        message: expect.stringContaining('has become shorter'),
      })
      expect(error.message).toContain(locations[0]!.path)
    }
  })

  it('of half precision are widened', async () => {
    // 1, -2 and 0.5 as bf16.
    const plan: HandPlan = {
      values: [
        { space: 'input', place: 0, bytes: 8, dtype: 'i32' },
        { space: 'weight', place: 0, bytes: 6 },
        { space: 'output', place: 0, bytes: 8 },
      ],
      nodes: [
        { op: 'embedding', dims: { m: 2, c: 1, rows: 3, length: 1 }, operands: { ids: 0, table: 1, y: 2 } },
      ],
    }
    const path = join(temporaryFolder(), 'half.bin')
    writeFileSync(path, new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x3f00).buffer))
    using weights = await loadWeights([{ path, offset: 0, dtype: 'bf16', shape: [3, 1] }])
    await using program = compile(encode(plan), weights)
    const y = new Float32Array(2)
    await program.run({ inputs: [Int32Array.of(2, 1)], outputs: [y] })
    expect([...y]).toEqual([0.5, -2])
  })
})

describe('weights in int8', () => {
  const target = { ...cpu, matrices: 'int8' } as const
  const bias = noise(n, 3)

  /** A matrix and the bias, in files. */
  const files = (w: Float32Array) =>
    writeWeights([
      { shape: [n, k], data: w },
      { shape: [n], data: bias },
    ])
  async function run(w: Float32Array, x: Float32Array): Promise<Float32Array> {
    using weights = await loadWeights(files(w), target)
    await using program = compile(encode(linear(m, n, k)), weights)
    const y = output()
    await program.run({ inputs: [x], outputs: [y] })
    return y
  }

  it('take a byte for each element of a matrix and four for each channel', async () => {
    using weights = await loadWeights(linearWeights(n, k), target)
    await using program = compile(encode(linear(m, n, k)), weights)
    expect(weights.bytes).toEqual({ stored, resident: 0 })
    await program.run({ inputs: [noise(m * k)], outputs: [output()] })
    const { resident } = weights.bytes
    const vectors = 2 * n * 4
    expect(resident).toBeGreaterThanOrEqual(n * k + vectors)
    expect(resident).toBeLessThan(n * k + vectors + 256)
  })

  it('are exact where they are multiples of the scale', async () => {
    // 127 in every row, in eighths of another power of two for each; sums stay below 2^24.
    const steps = Float32Array.from({ length: n * k }, (_, i) =>
      i % k === 7 ? -127 : ((i * 37) % 255) - 127,
    )
    const w = steps.map((q, i) => q * 2 ** ((Math.floor(i / k) % 9) - 12))
    const x = Float32Array.from({ length: m * k }, (_, i) => ((i * 11) % 41) - 20)
    const y = await run(w, x)
    for (let at = 0; at < m * n; at++) {
      const [i, j] = [Math.floor(at / n), at % n]
      let sum = 0
      for (let l = 0; l < k; l++) sum += x[i * k + l]! * w[j * k + l]!
      expect(y[at]).toBe(Math.fround(sum + bias[j]!))
    }
  })

  it('of zeros leave the bias, and the smallest numbers there are stay finite', async () => {
    const w = noise(n * k, 2)
    w.fill(0, 0, k)
    w.fill(2 ** -149, k, 2 * k)
    w.fill(2 ** -143, 2 * k, 3 * k)
    const y = await run(w, noise(m * k))
    for (const at of y.keys()) if (at % n < 3) expect(y[at]).toBeCloseTo(bias[at % n]!, 7)
    expect(y.every(Number.isFinite)).toBe(true)
    expect(y[0]).toBe(bias[0])
  })

  it.each([Number.NaN, Infinity, -Infinity])(
    'are refused where one is %d, and the process lives on',
    async (odd) => {
      const w = noise(n * k, 2)
      w[5 * k + 3] = odd
      const locations = files(w)
      using weights = await loadWeights(locations, target)
      await using program = compile(encode(linear(m, n, k)), weights)
      for (let again = 0; again < 2; again++) {
        const error = await errorOf(program.run({ inputs: [noise(m * k)], outputs: [output()] }))
        expect(error).toMatchObject({ code: 'INVALID_WEIGHTS' })
        expect(error.message).toMatch(/byte 24 has values that are not finite.*without precision "int8"/)
        expect(error.message).toContain(locations[0]!.path)
      }
      using asStored = await loadWeights(locations)
      await using plain = compile(encode(linear(m, n, k)), asStored)
      const y = output()
      await plain.run({ inputs: [noise(m * k)], outputs: [y] })
      expect([...y.keys()].filter((at) => !Number.isFinite(y[at]))).toEqual([5, n + 5, 2 * n + 5, 3 * n + 5])
    },
  )
})

describe.runIf(runsBf16)('weights in bf16', () => {
  const target = { ...cpu, matrices: 'bf16' } as const

  it('take two bytes for each element of a matrix', async () => {
    using weights = await loadWeights(linearWeights(n, k), target)
    await using program = compile(encode(linear(m, n, k)), weights)
    await program.run({ inputs: [noise(m * k)], outputs: [output()] })
    const { resident } = weights.bytes
    const panels = Math.ceil(n / 32) * 32
    expect(resident).toBeLessThanOrEqual(panels * k * 2 + 2 * n * 4 + 256)
  })

  it('stay as they are stored where a depth is odd', async () => {
    const run = async (matrices: 'stored' | 'bf16') => {
      using weights = await loadWeights(linearWeights(n, 33), { ...cpu, matrices })
      await using program = compile(encode(linear(m, n, 33)), weights)
      const y = output()
      await program.run({ inputs: [noise(m * 33)], outputs: [y] })
      return y
    }
    expect(await run('bf16')).toEqual(await run('stored'))
  })
})

describe('loadWeights refuses', () => {
  const [good] = linearWeights(n, k)
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'directory'))
  const end = good!.offset + n * k * 4 + n * 4
  it.each<[string, Partial<WeightLocation>, string, RegExp]>([
    [
      'a missing file',
      { path: join(folder, 'none') },
      'MODEL_NOT_FOUND',
      /none cannot be opened: No such file/,
    ],
    ['a folder', { path: join(folder, 'directory') }, 'MODEL_NOT_FOUND', /no regular file/],
    ['a device', { path: '/dev/zero' }, 'MODEL_NOT_FOUND', /no regular file/],
    ['a tensor that ends too late', { offset: end - n * k * 4 + 1 }, 'INVALID_WEIGHTS', /cut off/],
    ['an offset beyond the end', { offset: 2 ** 52 }, 'INVALID_WEIGHTS', /cut off/],
    ['a negative offset', { offset: -4 }, 'INVALID_WEIGHTS', /cut off/],
    ['a shape that overflows', { shape: [2 ** 40, 2 ** 40] }, 'INVALID_WEIGHTS', /impossibly large/],
    ['a negative dimension', { shape: [-1, 4] }, 'INVALID_WEIGHTS', /impossibly large/],
    ['integers', { dtype: 'i32' as 'f32' }, 'INVALID_WEIGHTS', /type i32/],
  ])('%s', async (_, change, code, message) => {
    const error = await errorOf(loadWeights([good!, { ...good!, ...change }]))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('references that are no objects', async () => {
    const error = await errorOf(loadWeights([5 as unknown as WeightLocation]))
    expect(error).toMatchObject({ code: 'INTERNAL' })
  })
})
