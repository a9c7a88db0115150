// Several runs and programs at once, cancelling, disposal in any order, and an event loop that stays free.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile, loadWeights, type WeightSet } from '../../lib/runtime/program.ts'
import { addAndDouble, attention, encode, errorOf, linear, linearWeights, noise } from './plans.ts'

const [m, n, k] = [256, 256, 256]
let weights: WeightSet
beforeAll(async () => {
  weights = await loadWeights(linearWeights(n, k))
})

/** A program that runs for many seconds unless somebody ends it. */
const endless = (repeats = 200_000) => compile(encode(linear(m, n, k, repeats)), weights)
const buffers = () => ({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] })

describe('runs', () => {
  it('of many programs at once all end, each with its own result', async () => {
    const sizes = [1, 16, 17, 1000, 4099]
    const programs = sizes.map((size) => compile(encode(addAndDouble(size)), null))
    const runs = Array.from({ length: 200 }, async (_, i) => {
      const size = sizes[i % sizes.length]!
      const x = new Float32Array(size).fill(i)
      const y = new Float32Array(size)
      await programs[i % sizes.length]!.run({ inputs: [x, x], outputs: [y] })
      expect(y).toEqual(new Float32Array(size).fill(4 * i))
    })
    await Promise.all(runs)
    await Promise.all(programs.map((program) => program.dispose()))
  })

  it('end in the order in which they were asked for', async () => {
    const program = compile(encode(addAndDouble(8)), null)
    const order: number[] = []
    const x = new Float32Array(8)
    await Promise.all(
      [0, 1, 2, 3, 4].map(async (i) => {
        await program.run({ inputs: [x, x], outputs: [new Float32Array(8)] })
        order.push(i)
      }),
    )
    expect(order).toEqual([0, 1, 2, 3, 4])
    await program.dispose()
  })
})

describe('abort', () => {
  it('ends a run within 50 ms, and the program can be used again', async () => {
    await using program = compile(encode(linear(m, n, k, 20_000)), weights)
    const delays: number[] = []
    for (let again = 0; again < 8; again++) {
      const controller = new AbortController()
      const run = errorOf(program.run({ ...buffers(), signal: controller.signal }))
      await sleep(5 + 10 * again)
      const start = performance.now()
      controller.abort()
      expect(await run).toMatchObject({ code: 'ABORTED', name: 'AbortError' })
      delays.push(performance.now() - start)
    }
    // The median: this test is about the addon, not about who else uses the machine.
    expect(delays.sort((a, b) => a - b)[4]).toBeLessThan(50)
    await using short = compile(encode(linear(m, n, k)), weights)
    await short.run(buffers())
  })

  it('of one run leaves the others alone, running or waiting', async () => {
    await using program = compile(encode(linear(m, n, k, 500)), weights)
    const controller = new AbortController()
    const views = [buffers(), buffers(), buffers()] as const
    const first = program.run(views[0])
    const second = errorOf(program.run({ ...views[1], signal: controller.signal }))
    const third = program.run(views[2])
    controller.abort()
    expect(await second).toMatchObject({ code: 'ABORTED' })
    await Promise.all([first, third])
  })

  it('of a run that waits for its turn ends it at once', async () => {
    const program = endless()
    const running = errorOf(program.run(buffers()))
    const controller = new AbortController()
    const waiting = errorOf(program.run({ ...buffers(), signal: controller.signal }))
    await sleep(20)
    controller.abort()
    expect(await waiting).toMatchObject({ code: 'ABORTED' })
    await program.dispose()
    expect(await running).toMatchObject({ code: 'DISPOSED' })
  })

  it('takes effect within an op', async () => {
    // One product of several seconds, or of less where the machine is fast.
    const wide = 3000
    using large = await loadWeights(linearWeights(wide, wide))
    await using program = compile(encode(linear(wide, wide, wide, 4)), large)
    const controller = new AbortController()
    const x = new Float32Array(wide * wide)
    const run = errorOf(
      program.run({ inputs: [x], outputs: [new Float32Array(wide * wide)], signal: controller.signal }),
    )
    await sleep(200)
    const start = performance.now()
    controller.abort()
    expect(await run).toMatchObject({ code: 'ABORTED' })
    expect(performance.now() - start).toBeLessThan(200)
  })

  it('takes effect within a task, which in attention is 1024 queries and all keys', async () => {
    const keys = 2 ** 20
    const [k, v] = [noise(keys, 1), noise(keys, 2)]
    const attend = async (queries: number, options: { readonly signal?: AbortSignal } = {}) => {
      await using program = compile(encode(attention(queries, keys)), null, { threads: 1 })
      await program.run({ inputs: [noise(queries), k, v], outputs: [new Float32Array(queries)], ...options })
    }
    // In time of the processor, which does not depend on who else uses the machine.
    const start = process.cpuUsage()
    await attend(1024)
    const task = process.cpuUsage(start).user
    let afterAborts = 0
    for (let again = 0; again < 6; again++) {
      const controller = new AbortController()
      const run = errorOf(attend(2 ** 16, { signal: controller.signal }))
      await sleep(20 + (again * task) / 6000)
      const aborted = process.cpuUsage()
      controller.abort()
      expect(await run).toMatchObject({ code: 'ABORTED' })
      afterAborts += process.cpuUsage(aborted).user
    }
    // Six halves of a task, did they run to their ends.
    expect(afterAborts).toBeLessThan(task)
  })

  it('after the end changes nothing', async () => {
    const controller = new AbortController()
    await using program = compile(encode(linear(m, n, k)), weights)
    await program.run({ ...buffers(), signal: controller.signal })
    controller.abort()
  })
})

describe('dispose', () => {
  it('in any order, during runs and before, loses nothing', async () => {
    for (let round = 0; round < 24; round++) {
      const set = await loadWeights(linearWeights(n, k))
      const programs = [0, 1, 2].map(() => compile(encode(linear(m, n, k, 100)), set))
      const runs = programs.flatMap((program) => [program.run(buffers()), program.run(buffers())])
      const outcomes = Promise.allSettled(runs)
      if (round % 4 === 0) await sleep(round)
      const actions = [() => set.dispose(), ...programs.map((program) => () => program.dispose())]
      // The round counts through the permutations of four.
      let code = round
      for (let left = actions.length; left > 0; left--) {
        const [action] = actions.splice(code % left, 1)
        code = Math.floor(code / left)
        void action!()
      }
      for (const outcome of await outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'DISPOSED' })
      }
    }
  })
})

describe('the event loop', () => {
  it('turns freely while a long run executes', async () => {
    const program = endless()
    const run = errorOf(program.run(buffers()))
    await sleep(100)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    await sleep(2000)
    delay.disable()
    await program.dispose()
    expect(await run).toMatchObject({ code: 'DISPOSED' })
    expect(delay.percentile(99) / 1e6).toBeLessThan(20)
  })
})
