// `tintype selftest` and the benchmark of GPUs, as users run them, on the interpreted device.

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { it as check, describe, expect, inject } from 'vitest'
import { architectures, output } from './build.ts'
import { ptxPath } from './device.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const it = check.skipIf(missing)

function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, ['--import', 'tsx', resolve(script), ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      TINTYPE_CUDA_ADDON: join(output, 'interpreted.node'),
      TINTYPE_PTX: ptxPath(),
      TINTYPE_PLAYED_GPUS: '80',
      ...env,
    },
  })
}

describe('tintype selftest', () => {
  it('reports each op with its worst error', () => {
    const { status, stdout, stderr } = run('lib/cli/main.ts', ['selftest', '--only', 'toPixels count=3'])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^GPU +interpreted GPU \(sm_80, 8192 MiB\), cuda:0$/m)
    expect(stdout).toMatch(/^toPixels +f16 +\d +\S+ +\S+ +\d+ % {2}passed$/m)
    expect(stdout).toMatch(/^toPixels +bf16 +\d +\S+ +\S+ +\d+ % {2}passed$/m)
    expect(stdout).toMatch(/^toPixels +fast +\d +\S+ +\S+ +\d+ % {2}passed$/m)
    expect(stdout).toMatch(/^passed: all \d+ cases$/m)
    expect(status).toBe(0)
  })

  it('allows sums in fp16 where they are asked for', () => {
    const args = ['selftest', '--only', 'linear m=77 n=40 k=1025', '--precision', 'fast', '--json']
    const { status, stdout } = run('lib/cli/main.ts', args)
    expect(JSON.parse(stdout).ops).toMatchObject([
      { op: 'linear', precision: 'fast', cases: 1, failures: [] },
    ])
    expect(JSON.parse(stdout).ops[0].share).toBeGreaterThan(0.2)
    expect(status).toBe(0)
  })

  it('fails where a kernel is wrong', () => {
    // Kernels of another element type: every number is misread.
    const env = { TINTYPE_PLAYED_ELEMENT: 'bf16' }
    const args = ['selftest', '--only', 'add count=33', '--precision', 'f16', '--json']
    const { status, stdout } = run('lib/cli/main.ts', args, env)
    expect(JSON.parse(stdout).ops[0]).toMatchObject({ op: 'add', precision: 'f16', cases: 1 })
    expect(JSON.parse(stdout).ops[0].failures).toHaveLength(1)
    expect(status).toBe(1)
  })

  it.each([
    ['right', {}, 0],
    // Of another element type.
    ['wrong', { TINTYPE_PLAYED_ELEMENT: 'bf16' }, 1],
  ])('has the CPU judge what is large: a kernel that is %s', (_, env, failures) => {
    const args = ['selftest', '--only', 'linear m=154', '--precision', 'f16', '--json']
    const { status, stdout } = run('lib/cli/main.ts', args, env)
    expect(JSON.parse(stdout).ops[0]).toMatchObject({ op: 'linear', cases: 1 })
    expect(JSON.parse(stdout).ops[0].failures).toHaveLength(failures)
    expect(status).toBe(failures)
  })

  it('says why there is no GPU', () => {
    const { status, stderr } = run('lib/cli/main.ts', ['selftest'], { TINTYPE_PLAYED_GPUS: '' })
    expect(stderr).toMatch(/no NVIDIA GPU/)
    expect(status).toBe(1)
  })
})

describe('npm run bench -- --device cuda', () => {
  it('reports steps per second', () => {
    const model = 'test/golden/pipelines/one-layer/model'
    const args = ['--device', 'cuda', '--model', model, '--size', '64', '--steps', '1', '--repeats', '1']
    const { status, stdout, stderr } = run('bench/main.ts', args)
    expect(status, stderr).toBe(0)
    expect(stdout).toMatch(/^GPU +interpreted GPU \(sm_80, 8192 MiB\)/m)
    expect(stdout).toMatch(/^model +64x64 +[\d.]+ /m)
    expect(stdout).toMatch(/SDXL's shapes are those of/)
  })
})
