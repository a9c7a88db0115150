// Reading the list of GPUs, from a tool that stands in for nvidia-smi.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nvidiaGpus, parseGpus } from '../../../lib/runtime/nvidia.ts'

describe.skipIf(process.platform === 'win32')('nvidia-smi', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tintype-smi-'))
    vi.stubEnv('PATH', folder)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  })
  const tool = (script: string) => {
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'nvidia-smi'), 0o755)
  }

  it('lists the GPUs', () => {
    tool('echo "NVIDIA A10, 550.54.15, 23028"; echo "NVIDIA L4, 550.54.15, 24576"')
    expect(nvidiaGpus()).toEqual([
      { name: 'NVIDIA A10', driver: '550.54.15', memoryMiB: 23028 },
      { name: 'NVIDIA L4', driver: '550.54.15', memoryMiB: 24576 },
    ])
  })

  it('is told to have failed with what it said', () => {
    tool('echo "Driver/library version mismatch" >&2; exit 18')
    expect(nvidiaGpus()).toBe('nvidia-smi failed: Driver/library version mismatch')
  })

  it('need not be there', () => {
    expect(nvidiaGpus()).toMatch(/nvidia-smi was not found|NVIDIA/)
  })

  it('gives no GPU for lines that are none', () => expect(parseGpus('\nNo devices were found\n')).toEqual([]))
})
