// The boxes of tensors that the copy engine of sm_90 brings, as the interpreter has them: the numbers that belong there, and
// each mistake of box_faults.cu reported as what it is, while its correct twin runs.

import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { output } from './build.ts'
import { device, orders, type PatchSize, type RowsSize, type TensorMap } from './device.ts'

const [boxRows, boxColumns, chunk] = [16, 64, 8]
const boxBytes = boxRows * boxColumns * 2

/** Where a box begins. */
interface RowsPlace {
  readonly column: number
  readonly row: number
}

/** By the output with which the box begins, and the tap that meets the pixels. */
interface PatchPlace {
  readonly channel: number
  readonly output: number
  readonly right: number
  readonly down: number
}

/** Rows of eight chunks, where they lie in shared memory. */
function swizzled(rows: readonly (readonly number[])[]): number[] {
  return rows.flatMap((row, r) =>
    Array.from(row, (_, i) => row[(Math.floor(i / chunk) ^ (r & 7)) * chunk + (i % chunk)]!),
  )
}

const range = (length: number) => Array.from({ length }, (_, i) => i)

/** Rows of a matrix, zeros beyond it. */
function boxOfRows({ rows, columns }: RowsSize, place: RowsPlace): number[][] {
  return range(boxRows).map((r) =>
    range(boxColumns).map((c) => {
      const [row, column] = [place.row + r, place.column + c]
      const isInside = row >= 0 && row < rows && column >= 0 && column < columns
      return isInside ? row * columns + column + 1 : 0
    }),
  )
}

/** What a tap of a convolution meets at outputs that follow one another, zeros where it is padded. */
function boxOfPatches(size: PatchSize, place: PatchPlace): number[][] {
  return range(boxRows).map((r) => {
    const { picture, y, x } = pixelOf(size, place.output + r)
    const [right, down] = [x + place.right, y + place.down]
    const isInside = right >= 0 && right < size.w && down >= 0 && down < size.h && picture < size.n
    const first = ((picture * size.h + down) * size.w + right) * size.c
    return range(boxColumns).map((c) => {
      const channel = place.channel + c
      return isInside && channel < size.c ? first + channel + 1 : 0
    })
  })
}

/** That the first tap meets. */
function pixelOf({ ho, wo, stride, padTop, padLeft }: PatchSize, output: number) {
  return {
    picture: Math.floor(output / (ho * wo)),
    y: (Math.floor(output / wo) % ho) * stride - padTop,
    x: (output % wo) * stride - padLeft,
  }
}

type Place = readonly number[]

/** A tensor, where two of its boxes begin as the kernel is told, and these boxes. */
interface Boxes {
  readonly size: RowsSize | PatchSize
  readonly places: readonly Place[]
  readonly rows: readonly (readonly number[])[][]
}

function rowsOf(size: RowsSize, ...places: readonly RowsPlace[]): Boxes {
  return {
    size,
    places: places.map(({ column, row }) => [column, row]),
    rows: places.map((place) => boxOfRows(size, place)),
  }
}

function patchesOf(size: PatchSize, ...places: readonly PatchPlace[]): Boxes {
  return {
    size,
    places: places.map((place) => {
      const { x, y, picture } = pixelOf(size, place.output)
      return [place.channel, x, y, picture, place.right, place.down]
    }),
    rows: places.map((place) => boxOfPatches(size, place)),
  }
}

interface Launch {
  /** Instead of those of the boxes. */
  readonly places?: readonly Place[]
  readonly map?: TensorMap | null
  /** That are there of the tensor, instead of all. */
  readonly elements?: number
}

/** What the kernel stores of the first box, or of both where they take turns. */
function run(kernel: string, order: number, { size, places: own }: Boxes, instead: Launch = {}): number[] {
  const all = 'rows' in size ? size.rows * size.columns : size.n * size.h * size.w * size.c
  const { places = own, map = { buffer: 0, boxRows, ...size }, elements = all } = instead
  const boxes = kernel.endsWith('turns') ? 2 : 1
  // Every number is another one, and none is 0.
  const x = Uint16Array.from({ length: elements }, (_, i) => i + 1)
  const y = new Uint16Array((boxes * boxBytes) / 2).fill(0xffff)
  const words = places.flatMap((place) => [boxBytes, ...place, 0, 0, 0, 0, 0].slice(0, 7))
  const buffers = [x, Int32Array.from(words), y].map((array) => new Uint8Array(array.buffer))
  device().launch(join(output, 'box_faults.ptx'), kernel, 1, 64, boxBytes + 16, order, buffers, [map])
  return [...y]
}

const matrix: RowsSize = { rows: 20, columns: 136 }
const rowsCases = [
  ['all within', { column: 0, row: 0 }],
  ['all within, further on', { column: 64, row: 3 }],
  ['not from a multiple of 64', { column: 40, row: 1 }],
  ['rows behind the last', { column: 0, row: 9 }],
  ['columns behind the last', { column: 128, row: 0 }],
  ['both behind the last', { column: 120, row: 15 }],
  ['all rows behind the last', { column: 0, row: 20 }],
  ['all columns behind the last', { column: 136, row: 0 }],
  ['rows before the first', { column: 0, row: -5 }],
  ['columns before the first', { column: -24, row: 2 }],
] as const

/** A convolution of 3x3, which pads above, left, below and right. */
function convolution(
  [n, h, w, c]: readonly [number, number, number, number],
  stride: number,
  [padTop, padLeft, padBottom, padRight]: readonly [number, number, number, number],
): PatchSize {
  const outputs = (pixels: number) => Math.floor((pixels - 3) / stride) + 1
  const [ho, wo] = [outputs(h + padTop + padBottom), outputs(w + padLeft + padRight)]
  return { n, h, w, c, ho, wo, kh: 3, kw: 3, stride, padTop, padLeft }
}

const padded = convolution([2, 6, 5, 64], 1, [1, 1, 1, 1])
const bare = convolution([1, 6, 7, 128], 1, [0, 0, 0, 0])
const halved = convolution([3, 7, 8, 64], 2, [1, 1, 1, 1])
const below = convolution([2, 8, 6, 64], 2, [0, 0, 1, 1])
const uneven = convolution([1, 5, 9, 64], 3, [2, 1, 0, 3])

const patchesCases = [
  ['nothing padded', bare, { channel: 0, output: 0, right: 0, down: 0 }],
  ['later channels', bare, { channel: 64, output: 2, right: 1, down: 2 }],
  ['channels behind the last', bare, { channel: 96, output: 0, right: 2, down: 1 }],
  ['above and left of the picture', padded, { channel: 0, output: 0, right: 0, down: 0 }],
  ['the middle tap', padded, { channel: 0, output: 0, right: 1, down: 1 }],
  ['below and right of the picture', padded, { channel: 0, output: 14, right: 2, down: 2 }],
  ['from within a row into the next picture', padded, { channel: 0, output: 23, right: 0, down: 2 }],
  ['behind the last picture', padded, { channel: 0, output: 53, right: 1, down: 0 }],
  ['all behind the last picture', padded, { channel: 0, output: 60, right: 1, down: 1 }],
  ['stride 2', halved, { channel: 0, output: 0, right: 0, down: 0 }],
  ['stride 2, into the last of three pictures', halved, { channel: 0, output: 27, right: 2, down: 1 }],
  ['padded below and right', below, { channel: 0, output: 0, right: 0, down: 0 }],
  ['padded below and right, last tap', below, { channel: 0, output: 5, right: 2, down: 2 }],
  ['padded unlike on every side', uneven, { channel: 0, output: 0, right: 0, down: 0 }],
  ['padded unlike on every side, last tap', uneven, { channel: 0, output: 1, right: 2, down: 2 }],
] as const

const rows = rowsOf(matrix, { column: 64, row: 2 }, { column: 8, row: 7 })
const patches = patchesOf(
  padded,
  { channel: 0, output: 7, right: 1, down: 0 },
  { channel: 0, output: 40, right: 0, down: 2 },
)
const kinds = [
  ['rows', rows],
  ['patches', patches],
] as const

const correct = ['stored', 'expected_behind', 'in_turns'] as const

const inFlight = /of the mbarrier at 2048/
const faults = [
  ['misaligned', /box whose target is no multiple of 1024 bytes/],
  ['behind_end', /shared access out of bounds/],
  ['by_map_in_memory', /tensor map that is no parameter/],
  ['without_publishing', /mbarrier whose init no fence.mbarrier_init follows, address 2048/],
  ['without_arrival', /deadlock: .*1 arrivals and 0 bytes are missing at the mbarrier at 2048/],
  ['without_expecting', /phase of an mbarrier that does not expect the bytes of a bulk copy in flight/],
  ['of_more_than_expected', /bulk copies of more bytes than the mbarrier expects, address 2048/],
  ['of_less_than_expected', /deadlock: .*0 arrivals and 128 bytes are missing at the mbarrier at 2048/],
  ['without_wait', new RegExp(`read of a bulk copy in flight, ${inFlight.source}`)],
  [
    'that_some_wait_for',
    new RegExp(
      `(read of a bulk copy in flight|race: read after a bulk copy that nobody waited for), ${inFlight.source}`,
    ),
  ],
  ['overwritten', new RegExp(`write over a bulk copy in flight, ${inFlight.source}`)],
  ['without_turns', /race( within a warp)?: write after read by warp \d lane \d+/],
] as const

const ofRows: TensorMap = { buffer: 0, boxRows, ...matrix }
const ofPatches: TensorMap = { buffer: 0, boxRows, ...padded }
const noPixel = /box that begins at no pixel between the corners/
const misplaced = [
  ['a map that is none', rows, { map: null }, /copy by what is no tensor map/],
  ['a map that is none', patches, { map: null }, /copy by what is no tensor map/],
  ['rows by a map of patches', rows, { map: ofPatches }, /copy of another kind than the tensor map/],
  ['patches by a map of rows', patches, { map: ofRows }, /copy of another kind than the tensor map/],
  ['columns from within a chunk', rows, { places: [[4, 0]] }, /box that begins within a chunk of 16 bytes/],
  ['such columns of no row', rows, { places: [[4, 20]] }, /box that begins within a chunk of 16 bytes/],
  ['channels from within a chunk', patches, { places: [[4]] }, /box that begins within a chunk of 16 bytes/],
  ['left of the corners', patches, { places: [[0, -2]] }, noPixel],
  ['right of the corners', patches, { places: [[0, 4]] }, noPixel],
  ['above the corners', patches, { places: [[0, 0, -2]] }, noPixel],
  ['below the corners', patches, { places: [[0, 0, 5]] }, noPixel],
  ['moved further than a byte says', patches, { places: [[0, 0, 0, 0, 256]] }, /box that is moved too far/],
  ['moved back', patches, { places: [[0, 0, 0, 0, 0, -1]] }, /box that is moved too far/],
  ['before the first picture', patches, { places: [[0, 0, 0, -1]] }, noPixel],
  ['between pixels', patchesOf(halved), { places: [[0, 0, -1]] }, noPixel],
  ['between rows of pixels', patchesOf(halved), { places: [[0, -1, 0]] }, noPixel],
  ['a matrix that ends early', rows, { elements: 10 * 136 }, outOfBounds(10 * 136 * 2)],
  ['a picture that ends early', patches, { elements: 8 * 64 }, outOfBounds(8 * 64 * 2)],
] as const

function outOfBounds(bytes: number): RegExp {
  return new RegExp(`global access of 16 bytes out of bounds, lane 0: .*buffer 0 \\+ \\d+ of ${bytes}`)
}

const refused = [
  ['a box without rows', { ...ofRows, boxRows: 0 }, /box of too many rows/],
  ['a box of more rows than there are in one', { ...ofRows, boxRows: 257 }, /box of too many rows/],
  ['a box of more pixels than there are in one', { ...ofPatches, boxRows: 1025 }, /box of too many rows/],
  ['a matrix without rows', { ...ofRows, rows: 0 }, /tensor that has no such size/],
  ['rows of odd length', { ...ofRows, columns: 132 }, /tensor whose rows are no multiples of 16 bytes/],
  ['pixels of odd length', { ...ofPatches, c: 4 }, /tensor whose rows are no multiples of 16 bytes/],
  ['pixels too far apart', { ...ofPatches, stride: 9 }, /tensor whose pixels are too far apart/],
  ['pixels that are one', { ...ofPatches, stride: 0 }, /tensor whose pixels are too far apart/],
  ['a picture padded too far', { ...ofPatches, padLeft: 129 }, /tensor whose corners are too far away/],
  ['a picture of too many outputs', { ...ofPatches, ho: 135 }, /tensor whose corners are too far away/],
  ['a picture of no output', { ...ofPatches, wo: 0 }, /tensor without a pixel between its corners/],
] as const

const missing = inject('ptxMissing')

describe.skipIf(missing)(`boxes of tensors${missing && ` (${missing})`}`, () => {
  it.each(rowsCases)('brings rows: %s', (_, place) => {
    const boxes = rowsOf(matrix, place)
    expect(run('rows_stored', 0, boxes)).toEqual(swizzled(boxes.rows[0]!))
  })
  it.each(patchesCases)('brings patches: %s', (_, size, place) => {
    const boxes = patchesOf(size, place)
    expect(run('patches_stored', 0, boxes)).toEqual(swizzled(boxes.rows[0]!))
  })
  it.each(misplaced)('refuses %s', (_, boxes, launch, message) => {
    const kernel = 'rows' in boxes.size ? 'rows_stored' : 'patches_stored'
    expect(() => run(kernel, 0, boxes, launch)).toThrow(message)
  })
  it.each(refused)('makes no map of %s', (_, map, message) => {
    expect(() => run('rows_stored', 0, rows, { map })).toThrow(message)
  })

  describe.each(orders.map((name, order) => [name, order] as const))('warps in %s order', (_, order) => {
    describe.each(kinds)('%s', (kind, boxes) => {
      it.each(correct)('%s', (kernel) => {
        const expected = kernel === 'in_turns' ? boxes.rows : boxes.rows.slice(0, 1)
        expect(run(`${kind}_${kernel}`, order, boxes)).toEqual(expected.flatMap(swizzled))
      })
      it.each(faults)('finds what is wrong with those %s', (kernel, message) => {
        expect(() => run(`${kind}_${kernel}`, order, boxes)).toThrow(message)
      })
    })
  })
})
