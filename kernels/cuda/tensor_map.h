// Tensors of which the copy engine of sm_90 brings boxes to shared memory (PTX ISA, "Tensors").
#pragma once
#include <cstdint>

namespace tintype::cuda {

// What says it to the engine, made by the driver.
struct alignas(128) TensorMap {
  unsigned char bytes[128];
};

// Of 16-bit elements: 128 bytes, which tensor cores find swizzled.
inline constexpr int box_columns = 64;

// A dense tensor of 16-bit elements, its fastest dimension first, and boxes of 64 columns by `box_rows`; 0
// where there is nothing. Those of patches have rows from NHWC pixels that follow one another, `stride`
// apart, between corners (x, y) that are so far from the first pixel, and from the last; each is moved by the
// tap of a convolution.
struct BoxedTensor {
  const void* data;
  int rank;
  int64_t sizes[4];
  int box_rows;
  bool of_patches;
  int first[2], last[2], stride;
};

// Rows of a multiple of 8 columns.
BoxedTensor boxed_rows(const void* data, int64_t rows, int64_t columns);

// How a convolution meets a picture.
struct PatchSize {
  int64_t n, h, w, c, ho, wo, kh, kw;
  int stride, pad_top, pad_left;
};

// Whether the engine reads it so: whole boxes of channels, and corners, taps and strides that it has bits
// for.
bool fits_boxes(const PatchSize& size);
BoxedTensor boxed_patches(const void* data, const PatchSize& size);

}  // namespace tintype::cuda
