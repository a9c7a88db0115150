// torch.randn of a CPU generator, float32: the order in which it turns random bits into normal numbers.

import { Mt19937 } from './mt19937.ts'

/** Draws of at least this many go through the vectorised path, 16 numbers at a time. */
const lane = 16

/**
 * `normal_fill` and `normal_distribution` of ATen (DistributionTemplates.h, DistributionsHelper.h), both
 * Box-Muller (1958). Checked against torch 2.13 for single draws and for sequences of mixed sizes.
 */
export class TorchCpuGenerator {
  readonly #bits: Mt19937
  /** The scalar path makes two numbers at a time; the second waits here, also over draws of the other path. */
  #waiting: number | undefined

  constructor(seed: bigint) {
    this.#bits = new Mt19937(Number(BigInt.asUintN(32, seed)))
  }

  fill(out: Float32Array): void {
    if (out.length < lane) {
      for (let i = 0; i < out.length; i++) out[i] = this.#scalar()
      return
    }
    for (let i = 0; i < out.length; i++) out[i] = this.#uniform24()
    for (let i = 0; i + lane <= out.length; i += lane) boxMuller16(out.subarray(i, i + lane))
    if (out.length % lane !== 0) {
      // torch draws the last 16 numbers again rather than a shorter lane.
      const tail = out.subarray(out.length - lane)
      for (let i = 0; i < lane; i++) tail[i] = this.#uniform24()
      boxMuller16(tail)
    }
  }

  /** [0, 1) in steps of 2^-24. */
  #uniform24(): number {
    return (this.#bits.next() & 0xffffff) / 0x1000000
  }

  /** [0, 1) in steps of 2^-53, the high word drawn first. */
  #uniform53(): number {
    const high = this.#bits.next() & 0x1fffff
    return (high * 2 ** 32 + this.#bits.next()) / 2 ** 53
  }

  #scalar(): number {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      return waiting
    }
    const theta = 2 * Math.PI * this.#uniform53()
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniform53()))
    this.#waiting = radius * Math.sin(theta)
    return radius * Math.cos(theta)
  }
}

/** 16 uniform numbers become normal: the first half give the radii, the second half the angles. */
function boxMuller16(lane16: Float32Array): void {
  for (let j = 0; j < 8; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - lane16[j]!))
    const theta = 2 * Math.PI * lane16[j + 8]!
    lane16[j] = radius * Math.cos(theta)
    lane16[j + 8] = radius * Math.sin(theta)
  }
}
