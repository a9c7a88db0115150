// What a program does with good and bad arguments, alone.

import { queryObjects } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { devices } from '../../lib/runtime/device.ts'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { addAndDouble, encode, errorOf, linear, linearWeights, noise, writeWeights } from './plans.ts'

const count = 1000

describe('devices', () => {
  it('tells the CPU, its instruction sets and cores', () => {
    const [cpu] = devices()
    expect(cpu).toMatchObject({ name: 'cpu', description: expect.stringMatching(/./) })
    expect(cpu!.isas).toContain(cpu!.isa)
    expect(cpu!.cores).toBeGreaterThan(0)
  })

  it('tells the bytes of the second-level cache, or 0', () => {
    const { l2Bytes } = devices()[0]!
    const isPlausible = l2Bytes >= 2 ** 17 && l2Bytes <= 2 ** 28
    expect(l2Bytes === 0 || isPlausible, `${l2Bytes} bytes`).toBe(true)
  })
})

describe('Program.run', () => {
  it('writes the outputs in place', async () => {
    await using program = compile(encode(addAndDouble(count)), null)
    const a = noise(count, 1)
    const b = noise(count, 2)
    const y = new Float32Array(count)
    expect(await program.run({ inputs: [a, b], outputs: [y] })).toBeUndefined()
    expect(y).toEqual(a.map((x, i) => Math.fround(Math.fround(x + b[i]!) * 2)))
  })

  it('takes one view as input and output, parts of buffers, shared memory and DataViews', async () => {
    await using program = compile(encode(addAndDouble(count)), null)
    const shared = new Float32Array(new SharedArrayBuffer(count * 4))
    shared.set(noise(count))
    const part = noise(count + 3).subarray(3)
    const expected = shared.map((x, i) => Math.fround(Math.fround(x + part[i]!) * 2))
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength)
    await program.run({ inputs: [shared, view], outputs: [shared] })
    expect(Float32Array.from(shared)).toEqual(Float32Array.from(expected))
  })

  it('measures each node when asked to', async () => {
    await using program = compile(encode(addAndDouble(count)), null, { profile: true })
    const x = new Float32Array(count)
    const seconds = await program.run({ inputs: [x, x], outputs: [x] })
    expect(seconds).toHaveLength(2)
    for (const time of seconds!) expect(time).toBeGreaterThanOrEqual(0)
  })

  it('runs an empty plan', async () => {
    await using program = compile(encode({ values: [], nodes: [] }), null)
    expect(await program.run({ inputs: [], outputs: [] })).toBeUndefined()
  })

  const good = () => new Float32Array(count)
  const detached = () => {
    const array = good()
    structuredClone(array.buffer, { transfer: [array.buffer] })
    return array
  }
  const misaligned = () => new Uint8Array(count * 4 + 4).subarray(1, count * 4 + 1)
  const resizable = () => {
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer
    return new Float32Array(new Resizable(count * 4, { maxByteLength: count * 8 }))
  }
  it.each([
    ['too few inputs', [good()], [good()], /2 inputs and 1 outputs, got 1 and 1/],
    ['too many outputs', [good(), good()], [good(), good()], /got 2 and 2/],
    ['a wrong size', [good(), new Float32Array(7)], [good()], /input 1: expected 4000 bytes, got 28/],
    ['a detached buffer', [good(), good()], [detached()], /output 0: .*got 0.*transferred/],
    ['a misaligned view', [misaligned(), good()], [good()], /input 0: .*aligned to 4/],
    ['a resizable buffer', [resizable(), good()], [good()], /input 0: a resizable/],
    ['no view', [good(), 5 as unknown as Float32Array], [good()], /input 1: expected a typed array/],
  ] as const)('refuses %s', async (_, inputs, outputs, message) => {
    await using program = compile(encode(addAndDouble(count)), null)
    const error = await errorOf(program.run({ inputs, outputs }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) })
    const x = good()
    await program.run({ inputs: [x, x], outputs: [x] })
  })

  it('leaves no promise behind that nobody settles where it refuses', async () => {
    await using program = compile(encode(addAndDouble(count)), null)
    const promises = () => queryObjects(Promise, { format: 'count' })
    const before = promises()
    for (let again = 0; again < 1000; again++) {
      await errorOf(program.run({ inputs: [good(), good()], outputs: [new Float32Array(7)] }))
    }
    expect(promises() - before).toBeLessThan(500)
  })

  it('rejects at once when the signal has already fired', async () => {
    await using program = compile(encode(addAndDouble(count)), null)
    const y = good()
    const run = program.run({ inputs: [noise(count), y], outputs: [y], signal: AbortSignal.abort('enough') })
    expect(await errorOf(run)).toMatchObject({ code: 'ABORTED', name: 'AbortError', cause: 'enough' })
    expect(y).toEqual(good())
  })
})

describe('compile', () => {
  it.each([0, 257, 1.5, Number.NaN])('refuses %s threads', async (threads) => {
    const error = await errorOf(() => compile(encode(addAndDouble(count)), null, { threads }))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/1 to 256/) })
  })

  it('gives the same bytes for any number of threads', async () => {
    const [m, n, k] = [77, 130, 320]
    using weights = await loadWeights(linearWeights(n, k))
    const results: Float32Array[] = []
    for (const threads of [1, 2, 3, 5, 16]) {
      await using program = compile(encode(linear(m, n, k)), weights, { threads })
      for (let again = 0; again < 20; again++) {
        const y = new Float32Array(m * n)
        await program.run({ inputs: [noise(m * k)], outputs: [y] })
        results.push(y)
      }
    }
    const [first, ...others] = results.map((result) => Buffer.from(result.buffer))
    for (const other of others) expect(other.equals(first!)).toBe(true)
  })
})

describe('dispose', () => {
  it('may be called again, and ends the use of a program', async () => {
    const program = compile(encode(addAndDouble(count)), null)
    await program.dispose()
    await program.dispose()
    const x = new Float32Array(count)
    expect(await errorOf(program.run({ inputs: [x, x], outputs: [x] }))).toMatchObject({ code: 'DISPOSED' })
  })

  it('comes after the runs of a program that retires', async () => {
    const [m, n, k] = [64, 512, 512]
    using weights = await loadWeights(linearWeights(n, k))
    const program = compile(encode(linear(m, n, k, 20)), weights)
    const request = () => ({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] })
    const runs = [0, 1].map(() => program.run(request()))
    await program.retire()
    await expect(Promise.all(runs)).resolves.toHaveLength(2)
    expect(await errorOf(program.run(request()))).toMatchObject({ code: 'DISPOSED' })
  })

  it('of weights leaves compiled programs running', async () => {
    const [m, n, k] = [4, 8, 16]
    const weights = await loadWeights(linearWeights(n, k))
    await using program = compile(encode(linear(m, n, k)), weights)
    weights.dispose()
    weights.dispose()
    const y = new Float32Array(m * n)
    await program.run({ inputs: [noise(m * k)], outputs: [y] })
    expect(y.some((value) => value !== 0)).toBe(true)
    expect(weights.bytes).toEqual({ stored: 0, resident: 0 })
    const error = await errorOf(() => compile(encode(linear(m, n, k)), weights))
    expect(error).toMatchObject({ code: 'DISPOSED' })
  })

  it('during the first run, which reads the weights, cancels it', async () => {
    const [m, n, k] = [1, 4096, 2048]
    const locations = writeWeights([
      { shape: [n, k], data: new Float32Array(n * k) },
      { shape: [n], data: noise(n) },
    ])
    for (const delay of [0, 1, 2, 4, 6, 8, 10]) {
      using weights = await loadWeights(locations)
      const program = compile(encode(linear(m, n, k, 20_000)), weights)
      const run = errorOf(program.run({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] }))
      await new Promise((resolve) => setTimeout(resolve, delay))
      await program.dispose()
      expect(await run).toMatchObject({ code: 'DISPOSED' })
    }
  })

  it('during a run cancels it', async () => {
    const [m, n, k] = [64, 512, 512]
    using weights = await loadWeights(linearWeights(n, k))
    const program = compile(encode(linear(m, n, k, 20_000)), weights)
    const runs = [0, 1].map(() =>
      errorOf(program.run({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] })),
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    const start = performance.now()
    await program.dispose()
    expect(performance.now() - start).toBeLessThan(200)
    for (const run of runs) expect(await run).toMatchObject({ code: 'DISPOSED' })
  })
})
