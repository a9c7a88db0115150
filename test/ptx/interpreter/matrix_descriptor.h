// A matrix in shared memory as wgmma gets it: 64 bits that say where it begins and how its rows lie.
#pragma once
#include <cstdint>

namespace tintype::ptx {

// 16 halves along the depth for each of `width` rows or columns, swizzled by 128 bytes: of other layouts
// nothing is known here. Along the depth (K-major) they are a part of rows of 64 halves. Across it (MN-major)
// each of the 16 has a row, which lies in panels of 64 halves.
class MatrixDescriptor {
 public:
  enum class Layout { along_depth, across_depth };
  MatrixDescriptor(uint64_t bits, int width, Layout layout = Layout::along_depth);

  // nullptr, or why these bits are not understood.
  const char* wrong() const { return wrong_; }
  int rows() const { return layout_ == Layout::along_depth ? width_ : depth; }
  // Times 16 bytes.
  int chunks() const { return (layout_ == Layout::along_depth ? depth : width_) / 8; }
  uint32_t address(int row, int chunk) const;

 private:
  static constexpr int depth = 16;
  uint32_t start_, eight_rows_, panel_;
  int width_;
  Layout layout_;
  const char* wrong_ = nullptr;
};

}  // namespace tintype::ptx
