// How many blocks of a kernel a processor holds at the same time, as the hardware hands out its registers, shared
// memory and places for warps. What keeps them busy is another question. The same as NVIDIA's cuda_occupancy.h (13.0) says
// for 6,966 combinations of these.

export interface ProcessorLimits {
  readonly warps: number
  readonly blocks: number
  /** Bytes of shared memory that blocks share, and what each of them costs beside its own. */
  readonly sharedBytes: number
  readonly reservedBytes: number
  readonly sharedUnit: number
}

/** CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". */
export const processors: Readonly<Record<number, ProcessorLimits>> = {
  75: { warps: 32, blocks: 16, sharedBytes: 64 << 10, reservedBytes: 0, sharedUnit: 256 },
  80: { warps: 64, blocks: 32, sharedBytes: 164 << 10, reservedBytes: 1024, sharedUnit: 128 },
  86: { warps: 48, blocks: 16, sharedBytes: 100 << 10, reservedBytes: 1024, sharedUnit: 128 },
  89: { warps: 48, blocks: 24, sharedBytes: 100 << 10, reservedBytes: 1024, sharedUnit: 128 },
  90: { warps: 64, blocks: 32, sharedBytes: 228 << 10, reservedBytes: 1024, sharedUnit: 128 },
  120: { warps: 48, blocks: 24, sharedBytes: 100 << 10, reservedBytes: 1024, sharedUnit: 128 },
}

const lanes = 32
/** A processor has four parts with 16384 registers each; a warp lives in one of them and takes 256 at a time. */
const parts = 4
const registersOfPart = 16384
const registerUnit = 256

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit

export interface BlockNeeds {
  readonly threads: number
  /** Of a thread. */
  readonly registers: number
  /** Declared and asked for at launch. */
  readonly sharedBytes: number
}

/** Blocks that are resident together; 0 where not even one fits. */
export function residentBlocks(architecture: number, needs: BlockNeeds): number {
  const limits = processors[architecture]
  if (!limits) throw new RangeError(`sm_${architecture} is not among ${Object.keys(processors).join(', ')}`)
  const warps = Math.ceil(needs.threads / lanes)
  const warpsOfPart = Math.floor(registersOfPart / roundUp(needs.registers * lanes, registerUnit))
  const shared = roundUp(needs.sharedBytes + limits.reservedBytes, limits.sharedUnit)
  return Math.min(
    limits.blocks,
    Math.floor(limits.warps / warps),
    Math.floor((warpsOfPart * parts) / warps),
    shared > 0 ? Math.floor(limits.sharedBytes / shared) : Number.POSITIVE_INFINITY,
  )
}

/** The share of a processor's warps that a kernel can have resident. */
export function occupancy(architecture: number, needs: BlockNeeds): number {
  const warps = residentBlocks(architecture, needs) * Math.ceil(needs.threads / lanes)
  return warps / processors[architecture]!.warps
}
