// NVIDIA's GPUs as their driver lists them. No CUDA is needed for that, and none is loaded.

import { spawnSync } from 'node:child_process'

export interface NvidiaGpu {
  readonly name: string
  readonly driver: string
  readonly memoryMiB: number
}

/** Where the driver puts its tool; WSL keeps it out of PATH. */
const tools = ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi']
const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits']

/** One GPU for each line: `NVIDIA A10, 550.54, 23028`. */
export function parseGpus(listed: string): NvidiaGpu[] {
  return listed
    .split('\n')
    .map((line) => line.split(',').map((field) => field.trim()))
    .flatMap(([name, driver, memory]) =>
      name && driver && memory ? [{ name, driver, memoryMiB: Number(memory) }] : [],
    )
}

/** The GPUs; a string says why there are none to be seen. */
export function nvidiaGpus(): NvidiaGpu[] | string {
  for (const tool of tools) {
    const { error, status, stdout, stderr } = spawnSync(tool, query, {
      encoding: 'utf8',
      timeout: 10_000,
      windowsHide: true,
    })
    if (error) {
      if ('code' in error && error.code === 'ENOENT') continue
      return `${tool} did not answer: ${error.message}`
    }
    if (status === 0) return parseGpus(stdout)
    return `${tool} failed: ${(stderr || stdout).trim().split('\n')[0]}`
  }
  return 'none that a driver lists (nvidia-smi was not found)'
}
