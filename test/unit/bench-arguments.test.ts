import { describe, expect, it } from 'vitest'
import { parseArguments } from '../../bench/arguments.ts'
import { planStages } from '../../bench/stages/plan.ts'

describe('the command line of the benchmarks', () => {
  it('measures the stages at 512 by default', () => {
    const args = parseArguments([], {})
    expect(args.subjects).toEqual(['text', 'unet', 'vae'])
    expect(args.sizes).toEqual([512])
    expect(args.python).toBe('python3')
  })

  it('takes lists, each name once', () => {
    const args = parseArguments(
      ['unet', 'unet', '--size', '256,512', '--threads', '1,2', '--against', 'diffusers,openvino,diffusers'],
      { TINTYPE_BENCH_PYTHON: 'python3.12' },
    )
    expect(args).toMatchObject({
      ...{ subjects: ['unet'], sizes: [256, 512], threads: [1, 2] },
      ...{ against: ['diffusers', 'openvino'], python: 'python3.12' },
    })
  })

  it('compares in float32, or in bf16 where that is asked for', () => {
    expect(parseArguments([], {})).toMatchObject({ arithmetic: 'f32', precision: 'f16' })
    expect(parseArguments(['vae', '--precision', 'bf16'], {}).arithmetic).toBe('bf16')
    const onGpu = parseArguments(['--device', 'cuda', '--precision', 'fast'], {})
    expect(onGpu).toMatchObject({ precision: 'fast', arithmetic: 'f32' })
  })

  it.each([
    [['--precision', 'f16'], '--precision: expected bf16 without --device, got f16.'],
    [['kernels', '--precision', 'bf16'], '--precision: not for kernels, which are measured in both.'],
    [['unnet'], 'Did you mean "unet"?'],
    [['--against', 'difusers'], 'Did you mean "diffusers"?'],
    [['--size', '500'], '--size: expected positive multiples of 64, got 500.'],
    [['--threads', '0'], '--threads: expected positive integers, got 0.'],
    [['--seconds', 'no'], '--seconds: expected a positive number, got no.'],
    [['--sice', '512'], "Unknown option '--sice'"],
  ])('refuses %j', (argv, message) => {
    expect(() => parseArguments(argv, {})).toThrow(message)
    expect(() => parseArguments(argv, {})).toThrow('--help')
  })
})

describe('planStages', () => {
  it('measures the text encoder once, all others at each size and number of threads', () => {
    const planned = planStages({ subjects: ['text', 'vae', 'kernels'], sizes: [256, 512] }, [1, 2])
    const text = planned.filter(({ stage }) => stage === 'text')
    const decode = planned.filter(({ stage }) => stage === 'vae-decode')
    expect(text.map(({ threads }) => threads)).toEqual([1, 2])
    expect(decode.map(({ size, threads, batch }) => [size, threads, batch])).toEqual([
      ...[
        [256, 1, 1],
        [256, 2, 1],
        [512, 1, 1],
        [512, 2, 1],
      ],
    ])
    expect(planned).toHaveLength(10)
  })
})
