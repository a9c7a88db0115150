// torch.randn of a CUDA generator, float32: which Philox block each number comes from.

import { philox4x32 } from './philox.ts'

const f32 = Math.fround
/** curand's constants: 2^-32, and 2 pi times that in float32. */
const cell = 2 ** -32
const angleCell = f32(f32(2.3283064e-10) * f32(6.2831855))

/**
 * `distribution_nullary_kernel` of ATen with `curand_normal4`, one number per thread: thread i takes subsequence i,
 * and each draw moves the offset on by one block. That is what a GPU does while a draw has no more numbers than
 * the GPU has resident threads (221,184 on an A100: 13 pictures of 512 x 512), and what A1111's `NV` noise source
 * does for any size. The uniform numbers are rounded to float32 as curand rounds them.
 *
 * Checked against the numbers that A1111 publishes for seed 0, against an independent Python version, and, for the bits,
 * against Random123's vectors; not against a GPU.
 */
export class TorchCudaGenerator {
  readonly #keyLow: number
  readonly #keyHigh: number
  #draws = 0

  constructor(seed: bigint) {
    this.#keyLow = Number(BigInt.asUintN(32, seed))
    this.#keyHigh = Number(seed >> 32n)
  }

  fill(out: Float32Array): void {
    const block = new Uint32Array(4)
    for (let thread = 0; thread < out.length; thread++) {
      block[0] = this.#draws
      block[1] = 0
      block[2] = thread
      block[3] = 0
      philox4x32(block, this.#keyLow, this.#keyHigh)
      // curand's Box-Muller: the centres of 2^32 cells, fused multiply-add.
      const u = f32(f32(block[0]!) * cell + cell / 2)
      const angle = f32(f32(block[1]!) * angleCell + angleCell / 2)
      out[thread] = Math.sqrt(-2 * Math.log(u)) * Math.sin(angle)
    }
    this.#draws++
  }
}
