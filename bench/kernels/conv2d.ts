// conv2d at the shapes of the SD 1.5 UNet and autoencoder.

import type { KernelCase } from './case.ts'

/** Side of the input, channels, and where they are not 1: stride, upsample. */
const shapes = [
  { side: 64, c: 320, o: 320 },
  { side: 32, c: 640, o: 640 },
  { side: 16, c: 1280, o: 1280 },
  { side: 8, c: 1280, o: 1280 },
  { side: 64, c: 320, o: 320, stride: 2 },
  { side: 32, c: 640, o: 640, upsample: 2 },
  { side: 64, c: 4, o: 320 },
  { side: 64, c: 320, o: 4 },
  { side: 256, c: 128, o: 128 },
  { side: 256, c: 128, o: 3 },
]

/** Each as the definition says; those between many channels also by Winograd's algorithm. */
function algorithmsOf({ c, o, stride = 1 }: { c: number; o: number; stride?: number }): string[] {
  if (Math.min(c, o) < 64) return ['direct']
  return stride === 1 ? ['direct', 'winograd4', 'winograd6'] : ['direct', 'strassen', 'winograd4']
}

export const convCases: readonly KernelCase[] = shapes.flatMap((shape) => {
  const { side, c, o, stride = 1, upsample = 1 } = shape
  const out = (side * upsample) / stride
  const rest = `${stride > 1 ? ` stride ${stride}` : ''}${upsample > 1 ? ` upsample ${upsample}` : ''}`
  const padding = { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }
  return algorithmsOf(shape).map((algorithm) => ({
    name: `conv2d n=1 c=${c}->${o} ${side}x${side} k3 f16${rest} ${algorithm}`,
    op: 'conv2d' as const,
    dims: { n: 1, h: side, w: side, c, ho: out, wo: out, o, kh: 3, kw: 3, rows: 1 },
    params: { stride, ...padding, upsample, activation: 'none', inputActivation: 'none', algorithm },
    flop: 2 * out * out * o * c * 9,
  }))
})
