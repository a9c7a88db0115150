// What NVIDIA says its GPUs do at best, with float32 sums: the products of GeForce cards are half as fast then.

export interface TensorCores {
  readonly tensorTflops: number
  /** Multiplications and additions of fp16 with float32 sums by the tensor cores of one processor in a cycle. */
  readonly productsPerCycle: number
}

/** With the tensor cores as `mma.sync` uses them. */
export interface Gpu extends TensorCores {
  readonly name: string
  readonly architecture: number
  readonly processors: number
  /** As `wgmma` uses them, where it is: GEMMs do, and attention of heads of at most 80 channels. */
  readonly warpgroups?: TensorCores
  readonly floatTflops: number
  /** Whether these are figures for sums in fp16, which matrix products have in precision `fast` and attention has not. */
  readonly isFast?: boolean
  /** GB/s of the memory. */
  readonly bandwidth: number
  readonly l2Bytes: number
}

export const gpus: readonly Gpu[] = [
  {
    // "NVIDIA Ada GPU Architecture", V2.01
    ...{ name: 'RTX 4090', architecture: 89, processors: 128, tensorTflops: 165.2, floatTflops: 82.6 },
    ...{ bandwidth: 1008, l2Bytes: 72e6, productsPerCycle: 256 },
  },
  {
    // "NVIDIA A100 Tensor Core GPU" data sheet, 80GB SXM
    ...{ name: 'A100 80GB', architecture: 80, processors: 108, tensorTflops: 312, floatTflops: 19.5 },
    ...{ bandwidth: 2039, l2Bytes: 40e6, productsPerCycle: 1024 },
  },
  {
    // "NVIDIA H100 Tensor Core GPU" data sheet, SXM: 989.4 TFLOP/s by wgmma. mma.sync m16n8k16 gave 65.3 % of the peak of
    // an H800 (Luo et al., arXiv:2501.12084, table 7).
    ...{
      name: 'H100 SXM',
      architecture: 90,
      processors: 132,
      tensorTflops: 989.4 * 0.653,
      floatTflops: 66.9,
    },
    ...{ bandwidth: 3350, l2Bytes: 50e6, productsPerCycle: 2048 * 0.653 },
    warpgroups: { tensorTflops: 989.4, productsPerCycle: 2048 },
  },
]

/** A GEMM's name ends in its tile. */
export const isGemm = (kernel: string) => /_\d+x\d+$/.test(kernel)

/** Whether a kernel multiplies by `wgmma` where it is. */
export const usesWarpgroups = (kernel: string) => isGemm(kernel) || /^attention_(40|64|80)_/.test(kernel)

/** What a kernel makes of the tensor cores. */
export const tensorCoresFor = (kernel: string, gpu: Gpu): TensorCores =>
  (usesWarpgroups(kernel) && gpu.warpgroups) || gpu

/** The same for products in precision `fast`: GeForce cards do them at twice the rate, the others at the same. */
export const inFast = (gpu: Gpu): Gpu => {
  const gain = gpu.name.startsWith('RTX') ? 2 : 1
  const { tensorTflops, productsPerCycle } = gpu
  return {
    ...gpu,
    ...{ isFast: true, tensorTflops: gain * tensorTflops, productsPerCycle: gain * productsPerCycle },
  }
}
