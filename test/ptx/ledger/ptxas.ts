// What `ptxas -v` says about the kernels of a file.

export interface KernelResources {
  /** Of a thread. */
  readonly registers: number
  readonly spillStores: number
  readonly spillLoads: number
  /** Bytes of a thread in local memory, spills among them. */
  readonly localBytes: number
  /** Declared in the kernel, not asked for at launch. */
  readonly sharedBytes: number
}

const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)

/** By kernel. */
export function parsePtxas(log: string): ReadonlyMap<string, KernelResources> {
  const kernels = new Map<string, KernelResources>()
  for (const part of log.split(/Compiling entry function /).slice(1)) {
    const name = /^'(\w+)'/.exec(part)?.[1]
    const registers = number(part, /Used (\d+) registers/)
    if (!name || registers === 0) throw new SyntaxError(`ptxas says nothing about registers: ${part}`)
    kernels.set(name, {
      registers,
      spillStores: number(part, /(\d+) bytes spill stores/),
      spillLoads: number(part, /(\d+) bytes spill loads/),
      localBytes: number(part, /(\d+) bytes stack frame/),
      sharedBytes: number(part, /(\d+) bytes smem/),
    })
  }
  return kernels
}
