// What rounding to bf16 makes of numbers, in plain numbers.

/** The nearest bf16 of each number, to even; no NaN. */
export function throughBf16(values: Float32Array): Float32Array {
  const words = new Uint32Array(Float32Array.from(values).buffer)
  const rounded = words.map((word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000)
  return new Float32Array(rounded.buffer)
}
