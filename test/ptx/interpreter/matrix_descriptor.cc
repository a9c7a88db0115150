#include "matrix_descriptor.h"

namespace tintype::ptx {

namespace {

constexpr uint32_t row_bytes = 128, swizzled_rows = 8, chunk_bytes = 16, panel_chunks = 8;

constexpr uint64_t field(uint64_t bits, int first, int count) {
  return bits >> first & ((uint64_t{1} << count) - 1);
}

}  // namespace

// PTX ISA, "Matrix Descriptor Format". The offset of the leading dimension (bits 16 to 29) is that of panels;
// it means nothing for rows that are swizzled and along the depth.
MatrixDescriptor::MatrixDescriptor(uint64_t bits, int width, Layout layout)
    : start_(static_cast<uint32_t>(field(bits, 0, 14) << 4)),
      eight_rows_(static_cast<uint32_t>(field(bits, 32, 14) << 4)),
      panel_(static_cast<uint32_t>(field(bits, 16, 14) << 4)),
      width_(width),
      layout_(layout) {
  constexpr uint32_t eight_rows = row_bytes * swizzled_rows;
  const bool across = layout == Layout::across_depth;
  constexpr uint64_t swizzle_128 = 1;
  if (field(bits, 14, 2) || field(bits, 30, 2) || field(bits, 46, 3) || field(bits, 52, 10)) {
    wrong_ = "unused bits of a matrix descriptor are not 0";
  } else if (field(bits, 62, 2) != swizzle_128) {
    wrong_ = "only matrices with a swizzle of 128 bytes are known";
  } else if (field(bits, 49, 3)) {
    wrong_ = "only matrices without a base offset are known";
  } else if (start_ % eight_rows >= row_bytes) {
    wrong_ = "a swizzled matrix that begins in the middle of eight rows needs a base offset";
  } else if (across ? start_ % row_bytes != 0 : start_ % row_bytes + 2 * chunk_bytes > row_bytes) {
    wrong_ = "a matrix leaves its swizzled rows";
  } else if (eight_rows_ % eight_rows != 0) {
    wrong_ = "the stride of a swizzled matrix is no multiple of its eight rows";
  } else if (across && static_cast<uint32_t>(chunks()) > panel_chunks && panel_ % eight_rows != 0) {
    wrong_ = "the panels of a swizzled matrix are no multiple of its eight rows apart";
  }
}

uint32_t MatrixDescriptor::address(int row, int chunk) const {
  const auto r = static_cast<uint32_t>(row), c = static_cast<uint32_t>(chunk);
  const uint32_t plain = start_ + r / swizzled_rows * eight_rows_ + r % swizzled_rows * row_bytes +
                         c / panel_chunks * panel_ + c % panel_chunks * chunk_bytes;
  return plain ^ ((plain >> 7 & 7) << 4);
}

}  // namespace tintype::ptx
