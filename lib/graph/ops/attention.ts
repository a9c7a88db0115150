// Scaled dot-product attention of several heads (Vaswani et al., 2017, equation 1).

import { choice, defineOp, float, input, int, output } from '../spec.ts'
import { addProducts } from './add-products.ts'

export const attention = defineOp({
  name: 'attention',
  formula: 'y = softmax(scale * q k^T) v for each picture and head; heads lie side by side in a row',
  dims: ['n', 'lq', 'lk', 'c'],
  operands: {
    q: input('n', 'lq', 'c'),
    k: input('n', 'lk', 'c'),
    v: input('n', 'lk', 'c'),
    y: output('n', 'lq', 'c'),
  },
  params: {
    heads: int(1),
    scale: float,
    /** `causal`: a query sees only the keys up to its own position. */
    mask: choice('Mask', ['none', 'causal']),
    /** What the CPU multiplies; the softmax and all sums are float32. GPUs compute in what they were loaded for. */
    arithmetic: choice('Arithmetic', ['f32', 'bf16']),
  },
  check: ({ c, heads }) => (c % heads === 0 ? undefined : `${c} channels do not divide into ${heads} heads`),
  reference({ q, k, v, y, n, lq, lk, c, heads, scale, mask }, round) {
    const d = c / heads
    const scores = new Float64Array(lk)
    for (let picture = 0; picture < n; picture++) {
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < lq; i++) {
          const qRow = (picture * lq + i) * c + head * d
          const seen = mask === 'causal' ? Math.min(lk, i + 1) : lk
          let max = -Infinity
          for (let j = 0; j < seen; j++) {
            const kRow = (picture * lk + j) * c + head * d
            const dot = addProducts(
              0,
              { a: { of: q, first: qRow, stride: 1 }, b: { of: k, first: kRow, stride: 1 }, count: d },
              round,
            )
            scores[j] = round(dot * scale)
            max = Math.max(max, scores[j]!)
          }
          let total = 0
          for (let j = 0; j < seen; j++) {
            scores[j] = round(Math.exp(round(scores[j]! - max)))
            total = round(total + scores[j]!)
          }
          for (let l = 0; l < d; l++) {
            const column = { of: v, first: picture * lk * c + head * d + l, stride: c }
            const sum = addProducts(
              0,
              { a: { of: scores, first: 0, stride: 1 }, b: column, count: seen },
              round,
            )
            y[qRow + l] = round(sum / total)
          }
        }
      }
    }
  },
})
