// Philox 4x32-10: the counter-based source of random bits of torch's CUDA generator.

/** High word of the 64-bit product of two unsigned words; all steps are exact in doubles. */
function highProduct(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / 0x10000)) / 0x10000)
}

/**
 * The block of four random words at a counter (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011, section 3.3), ten rounds. Checked against Random123's kat_vectors.
 *
 * @param counter four unsigned words; replaced by the random ones
 * @param keyLow low word of the key, keyHigh the high one: the halves of the seed
 */
export function philox4x32(counter: Uint32Array, keyLow: number, keyHigh: number): void {
  let [x, y, z, w] = [counter[0]!, counter[1]!, counter[2]!, counter[3]!]
  let [k0, k1] = [keyLow, keyHigh]
  for (let round = 0; round < 10; round++) {
    const high0 = highProduct(0xd2511f53, x)
    const low0 = Math.imul(0xd2511f53, x) >>> 0
    const high1 = highProduct(0xcd9e8d57, z)
    const low1 = Math.imul(0xcd9e8d57, z) >>> 0
    x = (high1 ^ y ^ k0) >>> 0
    y = low1
    z = (high0 ^ w ^ k1) >>> 0
    w = low0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  counter[0] = x
  counter[1] = y
  counter[2] = z
  counter[3] = w
}
