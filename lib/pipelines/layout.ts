// Between the (N, C, H, W) of files and other tools and the (N, H, W, C) of the kernels. Latents only: they are small.

export interface ImageShape {
  readonly n: number
  readonly c: number
  readonly h: number
  readonly w: number
}

const sizeOf = ({ n, c, h, w }: ImageShape) => n * c * h * w

export function toChannelsLast(nchw: ArrayLike<number>, shape: ImageShape): Float32Array {
  const { n, c } = shape
  const pixels = shape.h * shape.w
  const out = new Float32Array(sizeOf(shape))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < c; j++) {
      for (let p = 0; p < pixels; p++) out[(i * pixels + p) * c + j] = nchw[(i * c + j) * pixels + p]!
    }
  }
  return out
}

export function toChannelsFirst(nhwc: ArrayLike<number>, shape: ImageShape): Float32Array {
  const { n, c } = shape
  const pixels = shape.h * shape.w
  const out = new Float32Array(sizeOf(shape))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < c; j++) {
      for (let p = 0; p < pixels; p++) out[(i * c + j) * pixels + p] = nhwc[(i * pixels + p) * c + j]!
    }
  }
  return out
}
