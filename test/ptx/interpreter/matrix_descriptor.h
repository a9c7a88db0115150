// A matrix in shared memory as wgmma gets it: 64 bits that say where it begins and how its rows lie.
#pragma once
#include <cstdint>

namespace tintype::ptx {

// Rows of 16 halves along the depth (K-major) that are a part of rows of 64 bytes, swizzled: of other layouts
// nothing is known here.
class MatrixDescriptor {
 public:
  explicit MatrixDescriptor(uint64_t bits);

  // nullptr, or why these bits are not understood.
  const char* wrong() const { return wrong_; }
  // Of one of the two times 16 bytes of a row.
  uint32_t address(int row, int chunk) const;

 private:
  uint32_t start_, eight_rows_;
  const char* wrong_ = nullptr;
};

}  // namespace tintype::ptx
