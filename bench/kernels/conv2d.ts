// Speed of conv2d at the shapes of the SD 1.5 UNet and autoencoder.
// usage: npx tsx bench/kernels/conv2d.ts [--threads N]

import { type MatrixBench, measure } from './gemm.ts'

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

await measure(
  shapes.map(({ side, c, o, stride = 1, upsample = 1 }): MatrixBench => {
    const out = (side * upsample) / stride
    const rest = `${stride > 1 ? ` stride ${stride}` : ''}${upsample > 1 ? ` upsample ${upsample}` : ''}`
    return {
      name: `conv2d n=1 c=${c}->${o} ${side}x${side} k3 f16${rest}`,
      op: 'conv2d',
      dims: { n: 1, h: side, w: side, c, ho: out, wo: out, o, kh: 3, kw: 3, rows: 1 },
      params: { stride, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, upsample, activation: 'none' },
      flop: 2 * out * out * o * c * 9,
    }
  }),
)
