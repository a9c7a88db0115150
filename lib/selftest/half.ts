// fp16 and bf16 as the device stores them: bits to numbers and back, rounded to nearest even.

export type ElementType = 'f16' | 'bf16'

const formats = {
  f16: { mantissa: 10, minExponent: -14, maxExponent: 15 },
  bf16: { mantissa: 7, minExponent: -126, maxExponent: 127 },
} as const

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

/** The power of two in a number that is finite and not 0; a subnormal counts as the smallest that is normal. */
function exponentOf(value: number): number {
  float[0] = value
  return ((words[1]! >>> 20) & 0x7ff) - 1023
}

/** The nearest number that the type holds. */
export function roundTo(type: ElementType, value: number): number {
  if (!Number.isFinite(value) || value === 0) return value
  const { mantissa, minExponent, maxExponent } = formats[type]
  const unit = 2 ** (Math.max(exponentOf(value), minExponent) - mantissa)
  // Float64 has no digits behind the unit there, and rounds to nearest even itself.
  const coarse = 1.5 * 2 ** 52 * unit
  const rounded = value + coarse - coarse
  if (Math.abs(rounded) >= 2 ** (maxExponent + 1)) return value < 0 ? -Infinity : Infinity
  return rounded === 0 && value < 0 ? -0 : rounded
}

/** Bits of a number that the type holds. */
export function bitsOf(type: ElementType, value: number): number {
  const { mantissa, minExponent, maxExponent } = formats[type]
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  const infinity = (maxExponent - minExponent + 2) << mantissa
  if (Number.isNaN(value)) return infinity + 1
  if (magnitude === Infinity) return sign + infinity
  const exponent = magnitude === 0 ? minExponent : Math.max(exponentOf(magnitude), minExponent)
  // The leading 1 of a normal number adds the missing 1 to its exponent.
  return sign + ((exponent - minExponent) << mantissa) + magnitude / 2 ** (exponent - mantissa)
}

export function numberOf(type: ElementType, bits: number): number {
  const { mantissa, minExponent, maxExponent } = formats[type]
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits & 0x7fff) >> mantissa
  const fraction = bits & ((1 << mantissa) - 1)
  if (exponent === maxExponent - minExponent + 2) return fraction ? Number.NaN : sign * Infinity
  if (exponent === 0) return sign * fraction * 2 ** (minExponent - mantissa)
  return sign * (fraction + 2 ** mantissa) * 2 ** (exponent - 1 + minExponent - mantissa)
}
