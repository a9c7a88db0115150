#include "tensor_map.h"

namespace tintype::cuda {

namespace {

// How far the pixel under the first tap of the last output is from the last pixel.
int64_t last_corner(int64_t size, int64_t outputs, int stride, int pad) {
  return (outputs - 1) * stride - pad - (size - 1);
}

bool is_corner(int64_t place) {
  return place >= -128 && place <= 127;
}

}  // namespace

BoxedTensor boxed_rows(const void* data, int64_t rows, int64_t columns) {
  return {data, 2, {columns, rows, 1, 1}, 0, false, {0, 0}, {0, 0}, 1};
}

bool fits_boxes(const PatchSize& size) {
  return size.c % box_columns == 0 && size.stride <= 8 && size.kh <= 256 && size.kw <= 256 &&
         is_corner(-size.pad_top) && is_corner(-size.pad_left) &&
         is_corner(last_corner(size.w, size.wo, size.stride, size.pad_left)) &&
         is_corner(last_corner(size.h, size.ho, size.stride, size.pad_top));
}

BoxedTensor boxed_patches(const void* data, const PatchSize& size) {
  return {data,
          4,
          {size.c, size.w, size.h, size.n},
          0,
          true,
          {-size.pad_left, -size.pad_top},
          {static_cast<int>(last_corner(size.w, size.wo, size.stride, size.pad_left)),
           static_cast<int>(last_corner(size.h, size.ho, size.stride, size.pad_top))},
          size.stride};
}

}  // namespace tintype::cuda
