// sRGB to CIE Lab, where distances are about what eyes see.

/** D65, the white of sRGB. */
const white = { x: 0.95047, y: 1, z: 1.08883 } as const

const linear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
const compress = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)

/** L 0 to 100, a, b. */
export type Lab = readonly [number, number, number]

/** Red, green and blue in 0..1 to Lab. */
export function toLab(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [linear(red), linear(green), linear(blue)]
  const x = compress((0.4124 * r + 0.3576 * g + 0.1805 * b) / white.x)
  const y = compress((0.2126 * r + 0.7152 * g + 0.0722 * b) / white.y)
  const z = compress((0.0193 * r + 0.1192 * g + 0.9505 * b) / white.z)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/** CIE76, the Euclidean distance. */
export const labDistance = (a: Lab, b: Lab): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
