// What users rely on, with a tiny model: pictures, stages, events, cancelling, concurrency.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type GenerateEvent,
  type GenerateOptions,
  generate,
  load,
  type Pipeline,
  readPngText,
} from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

const { folder } = openGolden('sd1')
const options = { prompt: 'a red apple', seed: 5, steps: 4, width: 64, height: 48 } as const

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await load(folder)
})
afterAll(() => pipeline.dispose())

async function collect(stream: AsyncIterable<GenerateEvent>): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

describe('generate', () => {
  it('gives pictures of the size asked for, with what made them', async () => {
    const { images, latentsShape, seed, timings, warnings } = await pipeline.generate(options)
    expect(images).toHaveLength(1)
    const [picture] = images
    expect(picture).toMatchObject({ width: 64, height: 48, seed: 5n })
    expect(picture!.data).toHaveLength(64 * 48 * 3)
    expect(new Set(picture!.data).size).toBeGreaterThan(10)
    expect(latentsShape).toEqual([1, 4, 6, 8])
    expect(seed).toBe(5n)
    expect(warnings).toEqual([])
    expect(timings.total).toBeGreaterThanOrEqual(timings.text + timings.denoise + timings.decode)
    const text = readPngText(await picture!.toBuffer()).get('parameters')
    expect(text).toContain('a red apple\nSteps: 4, Sampler: DDIM, CFG scale: 7.5, Seed: 5, Size: 64x48')
  })

  it('gives the same bytes for the same seed, whatever the number of threads', async () => {
    const { latents } = await pipeline.generate(options)
    for (const threads of [1, 2, 3]) {
      await using other = await load(folder, { threads })
      expect((await other.generate(options)).latents).toEqual(latents)
    }
    expect((await pipeline.generate({ ...options, seed: 6 })).latents).not.toEqual(latents)
    expect((await pipeline.generate({ ...options, rng: 'torch-cuda' })).latents).not.toEqual(latents)
  })

  it('paints several prompts and pictures in one call', async () => {
    const { images } = await pipeline.generate({ ...options, prompt: ['apple', 'pear'], count: 2 })
    expect(images.map((image) => image.parameters.prompt)).toEqual(['apple', 'apple', 'pear', 'pear'])
    expect(new Set(images.map((image) => image.data.join())).size).toBe(4)
    // The first picture has the first noise of the generator, alone or not. Sums may be cut elsewhere among others, which
    // can round a byte the other way.
    const { images: alone } = await pipeline.generate({ ...options, prompt: 'apple' })
    const differences = images[0]!.data.map((byte, i) => Math.abs(byte - alone[0]!.data[i]!))
    expect(Math.max(...differences)).toBeLessThanOrEqual(1)
  })

  it('tells of all that changed a picture, and which of several it is', async () => {
    const { images } = await pipeline.generate(options)
    const plain = images[0]!.parameters
    const unchanged = ['batchSize', 'latents', 'eta', 'temperature', 'threshold', 'precision']
    expect(Object.keys(plain).filter((name) => unchanged.includes(name))).toEqual([])
    const changed = {
      rng: 'torch-cuda',
      eta: 0.5,
      temperature: 0.9,
      threshold: { percentile: 0.9, max: 4 },
    } as const
    const { images: others } = await pipeline.generate({ ...options, ...changed, prompt: ['apple', 'pear'] })
    expect(others.map(({ parameters }) => parameters)).toMatchObject([
      { ...changed, batchSize: 2, batchPosition: 0 },
      { ...changed, batchSize: 2, batchPosition: 1 },
    ])
    // As their docstring says, the second can be painted again.
    const again = await pipeline.generate({ ...options, ...changed, prompt: 'pear', count: 2 })
    const differences = again.images[1]!.data.map((byte, i) => Math.abs(byte - others[1]!.data[i]!))
    expect(Math.max(...differences)).toBeLessThanOrEqual(1)
    const latents = new Float32Array(192).fill(0.5)
    const given = await pipeline.generate({ ...options, latents })
    expect(given.images[0]!.parameters.latents).toBe('given')
  })

  it('gives results that are JSON without pixels and latents', async () => {
    const result = await pipeline.generate(options)
    const { latents, ...rest } = result
    const { seed, ...others } = result.images[0]!.parameters
    const image = { width: 64, height: 48, seed: '5', parameters: { ...others, seed: '5' } }
    expect(JSON.parse(JSON.stringify(result))).toEqual({ ...rest, seed: '5', images: [image] })
    expect(Object.keys(result)).not.toContain('toJSON')
  })

  it('goes without guidance', async () => {
    const free = await pipeline.generate({ ...options, guidanceScale: 1 })
    const ignored = await pipeline.generate({ ...options, guidanceScale: 1, negativePrompt: 'blue' })
    expect(free.latents).toEqual(ignored.latents)
    expect(free.warnings).toEqual([])
    expect(ignored.warnings).toEqual(['negativePrompt has no effect: guidanceScale is 1, not above 1.'])
    const guided = await pipeline.generate({ ...options, negativePrompt: 'blue' })
    expect(guided.latents).not.toEqual((await pipeline.generate(options)).latents)
  })

  it('takes an empty prompt', async () => {
    expect((await pipeline.generate({ ...options, prompt: '' })).images).toHaveLength(1)
  })

  it('says what it cut from a long prompt', async () => {
    const { warnings } = await pipeline.generate({ ...options, prompt: `${'apple '.repeat(300)} worm` })
    expect(warnings).toEqual([expect.stringMatching(/longer than 77 tokens; this was cut: "/)])
    const huge = await pipeline.generate({ ...options, prompt: 'ab '.repeat(2 ** 20 / 3) })
    expect(huge.warnings[0]!.length).toBeLessThan(400)
  })

  it.each(['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'])('paints with %s', async (scheduler) => {
    const { latents } = await pipeline.generate({ ...options, scheduler })
    expect(latents.every(Number.isFinite)).toBe(true)
  })

  it('scales the noise of stochastic samplers by the temperature', async () => {
    const at = async (temperature: number) =>
      (await pipeline.generate({ ...options, scheduler: 'euler-ancestral', temperature })).latents
    expect(await at(1)).toEqual(
      (await pipeline.generate({ ...options, scheduler: 'euler-ancestral' })).latents,
    )
    expect(await at(0)).not.toEqual(await at(1))
  })

  it('thresholds by the percentile, or says that it has no effect', async () => {
    const at = (threshold: GenerateOptions['threshold']) => pipeline.generate({ ...options, threshold })
    const [low, high] = [await at(0.8), await at(0.99)]
    expect(low.latents).not.toEqual(high.latents)
    expect((await at({ percentile: 0.99, max: undefined })).latents).toEqual(high.latents)
    expect([...low.warnings, ...high.warnings]).toEqual([])
    const { warnings } = await at({ percentile: 0.99, max: 1 })
    expect(warnings).toEqual([expect.stringMatching(/max of 1 .* whatever the percentile/)])
  })

  it('starts from a picture', async () => {
    const { images } = await pipeline.generate(options)
    const near = await pipeline.generate({ ...options, init: images[0]!, strength: 0.3 })
    const far = await pipeline.generate({ ...options, init: await images[0]!.toBuffer(), strength: 1 })
    expect(near.timings.encode).toBeGreaterThan(0)
    expect(near.latents).not.toEqual(far.latents)
  })

  it('paints in the size of the picture that it starts from', async () => {
    const { images } = await pipeline.generate(options)
    const { width, height, ...rest } = options
    const same = await pipeline.generate({ ...rest, init: images[0]! })
    expect(same.images[0]).toMatchObject({ width, height, parameters: { width, height } })
    const half = await pipeline.generate({ ...rest, init: images[0]!, width: 32 })
    expect(half.images[0]).toMatchObject({ width: 32, height: 24 })
    expect((await pipeline.encodeImage(images[0]!)).shape).toEqual([1, 4, 6, 8])
    const photo = { data: new Uint8Array(1024 * 512 * 3), width: 1024, height: 512 }
    const { warnings } = await pipeline.generate({ ...rest, init: photo, output: 'latents' })
    expect(warnings).toEqual([expect.stringMatching(/1024x512 has \d+ times the pixels/)])
  })
})

describe('options that are changed after the call', () => {
  it('change nothing', async () => {
    const { latents } = await pipeline.generate({ ...options, prompt: ['apple', 'pear'] })
    const prompt = ['apple', 'pear']
    const mine = { ...options, prompt, seed: 5 as number }
    const events = pipeline.stream(mine)
    const running = pipeline.generate(mine)
    mine.seed = 6
    prompt[1] = 'worm'
    expect((await running).latents).toEqual(latents)
    const last = (await collect(events)).at(-1)
    expect(last?.type === 'result' && last.result.latents).toEqual(latents)
  })

  it('change no picture to start from, and no noise', async () => {
    const init = { data: new Uint8Array(64 * 48 * 3).fill(200), width: 64, height: 48 }
    const noise = new Float32Array(192).fill(0.5)
    const paint = () =>
      Promise.all([
        pipeline.generate({ ...options, init, strength: 0.5 }),
        pipeline.generate({ ...options, latents: noise }),
        pipeline.encodeImage(init, { width: 64, height: 48 }),
      ])
    const values = ([a, b, c]: Awaited<ReturnType<typeof paint>>) => [a.latents, b.latents, c.data]
    const expected = values(await paint())
    const running = paint()
    init.data.fill(0)
    noise.fill(0)
    expect(values(await running)).toEqual(expected)
  })

  it('change nothing of what the embedded model paints', async () => {
    const mine = { prompt: 'red apple', seed: 1, steps: 1, output: 'latents' as const }
    const running = generate(mine)
    mine.seed = 2
    expect((await running).seed).toBe(1n)
  })
})

describe('stages', () => {
  it('encodes and decodes pictures', async () => {
    const { images, latents, latentsShape } = await pipeline.generate(options)
    const [decoded] = await pipeline.decodeLatents({ data: latents, shape: latentsShape })
    expect(decoded!.data).toEqual(images[0]!.data)
    const { data, shape } = await pipeline.encodeImage(images[0]!, { width: 64, height: 48 })
    expect(shape).toEqual([1, 4, 6, 8])
    expect(await pipeline.encodeImage(images[0]!, { width: 64, height: 48 })).toEqual({ data, shape })
    const sampled = await pipeline.encodeImage(images[0]!, { width: 64, height: 48, seed: 1 })
    expect(sampled.data).not.toEqual(data)
  })

  it('refuses latents of another shape', async () => {
    const wrong = pipeline.decodeLatents({ data: new Float32Array(5), shape: [1, 4, 6, 8] })
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const given = pipeline.generate({ ...options, latents: new Float32Array(5) })
    await expect(given).rejects.toThrow('(1, 4, 6, 8) = 192 values, got 5')
    const broken = pipeline.generate({ ...options, latents: new Float32Array(192).fill(Number.NaN) })
    await expect(broken).rejects.toThrow('not finite')
  })

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      'encodePrompt',
      () => pipeline.encodePrompt(5 as never),
      'INVALID_ARGUMENT',
      /^encodePrompt\(\) takes a string, got 5/,
    ],
    [
      'encodePrompt',
      () => pipeline.encodePrompt('a', { sginal: 5 } as never),
      'UNKNOWN_OPTION',
      /"sginal"\. Did you mean "signal"/,
    ],
    [
      'encodePrompt',
      () => pipeline.encodePrompt('a', { signal: 5 } as never),
      'INVALID_ARGUMENT',
      /Option signal must be an AbortSignal, got 5/,
    ],
    [
      'encodePrompt',
      () => pipeline.encodePrompt('a', null as never),
      'INVALID_ARGUMENT',
      /encodePrompt\(\) takes an object of options, got null/,
    ],
    [
      'encodeImage',
      () => pipeline.encodeImage('a.png', { steps: 1 } as never),
      'UNKNOWN_OPTION',
      /"steps"\. Expected one of: width, height, seed, rng, signal/,
    ],
    ['encodeImage', () => pipeline.encodeImage(undefined as never), 'INVALID_IMAGE', /cannot be read/],
    [
      'decodeLatents',
      () => pipeline.decodeLatents(undefined as never),
      'INVALID_ARGUMENT',
      /takes { data, shape }, .* \(n, 4, h, w\), got undefined/,
    ],
    [
      'decodeLatents',
      () => pipeline.decodeLatents({ data: new Float32Array(192) } as never),
      'INVALID_ARGUMENT',
      /decodeLatents/,
    ],
    [
      'decodeLatents',
      () =>
        pipeline.decodeLatents({ data: new Float32Array(192), shape: [1, 4, 6, 8] }, { sgnal: 1 } as never),
      'UNKNOWN_OPTION',
      /Did you mean "signal"/,
    ],
  ])('refuse what %s does not take: %o', async (_, call, code, message) => {
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('tokenizes and encodes prompts', async () => {
    expect(pipeline.tokenize('apple')).toHaveLength(77)
    expect(await pipeline.encodePrompt('apple')).toHaveLength(77 * 24)
    expect(() => pipeline.tokenize(5 as unknown as string)).toThrow('takes a string')
  })

  it('ends before the decoder when asked to', async () => {
    const { images, latents, timings } = await pipeline.generate({ ...options, output: 'latents' })
    expect(images).toEqual([])
    expect(latents).toHaveLength(192)
    expect(timings.decode).toBe(0)
  })
})

describe('stream', () => {
  it('tells of stages and steps, and ends with the result', async () => {
    const events = await collect(pipeline.stream({ ...options, previewEvery: 2 }))
    expect(events.map((event) => event.type)).toEqual(
      'stage stage step step step step stage result'.split(' '),
    )
    const steps = events.filter((event) => event.type === 'step')
    expect(steps.map(({ step, steps: total }) => `${step}/${total}`)).toEqual(['1/4', '2/4', '3/4', '4/4'])
    expect(steps.map(({ preview }) => preview?.length)).toEqual([undefined, 1, undefined, 1])
    const sigmas = steps.map(({ sigma }) => sigma)
    expect(sigmas).toEqual([...sigmas].sort((a, b) => b - a))
    const times = events.flatMap((event) => (event.type === 'result' ? [] : [event.elapsedMs]))
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('reports the same to onProgress', async () => {
    const seen: string[] = []
    await pipeline.generate({ ...options, onProgress: (event) => seen.push(event.type) })
    expect(seen).toEqual('stage stage step step step step stage'.split(' '))
  })

  it('hands on what onProgress throws, and lives on', async () => {
    const onProgress = () => {
      throw new Error('mine')
    }
    await expect(pipeline.generate({ ...options, onProgress })).rejects.toThrow('mine')
    await expect(pipeline.generate(options)).resolves.toBeDefined()
  })

  it('ends when the loop is left', async () => {
    for await (const event of pipeline.stream({ ...options, steps: 900 })) {
      if (event.type === 'step') break
    }
    await expect(pipeline.generate(options)).resolves.toBeDefined()
  })
})

describe('cancelling', () => {
  it('refuses to begin with an aborted signal', async () => {
    const aborted = pipeline.generate({ ...options, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', name: 'AbortError' })
  })

  it('tells why it was aborted, whenever that was', async () => {
    const cause = new Error('mine')
    const before = pipeline.generate({ ...options, signal: AbortSignal.abort(cause) })
    await expect(before).rejects.toMatchObject({ code: 'ABORTED', cause })
    const controller = new AbortController()
    const { signal } = controller
    const onProgress = () => controller.abort(cause)
    const amid = pipeline.generate({ ...options, signal, onProgress })
    await expect(amid).rejects.toMatchObject({ code: 'ABORTED', cause })
  })

  it('stops in the middle, and only that generation', async () => {
    const controller = new AbortController()
    const long = pipeline.generate({
      ...{ ...options, steps: 900, signal: controller.signal },
      onProgress: (event) => event.type === 'step' && event.step === 3 && controller.abort(),
    })
    const other = pipeline.generate(options)
    await expect(long).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(other).resolves.toBeDefined()
  })
})

describe('several at once', () => {
  it('gives each the result that it gives alone', async () => {
    const alone = (await pipeline.generate(options)).latents
    const others = [1, 2, 3].map((seed) => pipeline.generate({ ...options, seed, width: 32 + 8 * seed }))
    const again = pipeline.generate(options)
    expect((await again).latents).toEqual(alone)
    await Promise.all(others)
  })

  it('takes a dozen without a warning of a leak', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    await Promise.all(
      Array.from({ length: 12 }, (_, seed) => pipeline.generate({ ...options, seed, steps: 1 })),
    )
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})
