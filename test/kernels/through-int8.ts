// What precision int8 makes of weights, in plain numbers.

/**
 * What int8 makes of a matrix (rows, k), exactly: each element the nearest multiple, to even, of its row's scale, a 127th
 * of the largest magnitude in float32.
 */
export function throughInt8(values: Float32Array, rows: number): Float64Array {
  const k = values.length / rows
  const scales = Array.from({ length: rows }, (_, row) => {
    const largest = values
      .subarray(row * k, (row + 1) * k)
      .reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    return Math.fround(largest / 127)
  })
  return Float64Array.from(values, (x, i) => {
    const scale = scales[Math.floor(i / k)]!
    const steps = Math.fround(x / scale)
    const down = Math.floor(steps)
    const up = steps - down > 0.5 || (steps - down === 0.5 && down % 2 !== 0)
    return (up ? down + 1 : down) * scale
  })
}
