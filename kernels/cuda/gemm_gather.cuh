// How a block gets its part of A into shared memory, 32 products of each row at a time. A thread owns one of
// the four 16-byte chunks of a row, in every rows_apart-th row.
#pragma once
#include "async_copy.cuh"
#include "gemm.h"
#include "swizzle.cuh"

namespace tintype::cuda {

template <int Rows, int Threads, int Depth>
struct GatherShape {
  static constexpr int depth = Depth, chunks = Depth / 8;  // of a row and step
  static constexpr int rows_apart = Threads / chunks;
  static constexpr int rows = Rows / rows_apart;  // of a thread
  static constexpr int bytes_apart = rows_apart * Depth * 2;
  static_assert(rows_apart % 8 == 0 && rows * rows_apart == Rows,
                "the swizzle of a thread's rows must be the same");
  static __device__ int own_row() { return static_cast<int>(threadIdx.x) / chunks; }
  static __device__ int own_k() { return static_cast<int>(threadIdx.x) % chunks * 8; }
  // Where the first chunk of the thread goes in a tile.
  static __device__ uint32_t own_place() { return swizzle<chunks>(own_row(), own_k() / 8); }
};

// Of the outputs of an enlarged picture those of odd rows, or of odd columns (pack.h).
struct Quarter {
  int down, right;
};

// What a block gathers of A.
struct GatherRange {
  int first_row, first_k, end_k;
  Quarter quarter;
};

// Rows that lie one after the other, `stride` elements apart: B, and the A of linear layers. k is a multiple
// of 8.
template <int Rows, int Threads, int Depth>
class RowsGather {
  using Shape = GatherShape<Rows, Threads, Depth>;

 public:
  __device__ RowsGather(const void* matrix, int first_row, int total_rows, int stride, int first_k,
                        int end_k) {
    const int row = first_row + Shape::own_row();
    const int k = first_k + Shape::own_k();
    p_ = static_cast<const Element*>(matrix) + static_cast<int64_t>(row) * stride + k;
    step_ = Shape::rows_apart * stride;
    rows_left_ = total_rows - row;
    depth_left_ = end_k - k;
  }
  __device__ RowsGather(const GemmArgs& a, const GatherRange& range)
      : RowsGather(a.a, range.first_row, a.m, a.k, range.first_k, range.end_k) {}

  __device__ void copy_step(uint32_t target) {
    const bool inside = depth_left_ > 0;
#pragma unroll
    for (int i = 0; i < Shape::rows; i++) {
      const bool wanted = inside && i * Shape::rows_apart < rows_left_;
      copy_async(target + i * Shape::bytes_apart, p_ + static_cast<int64_t>(i) * step_, wanted);
    }
    p_ += Depth;
    depth_left_ -= Depth;
  }

 private:
  const Element* p_;
  int step_, rows_left_, depth_left_;
};

// Rows that go on in a second matrix behind first_k columns, a multiple of Depth: the A of layers that read
// two values side by side.
template <int Rows, int Threads, int Depth>
class JoinedRowsGather {
  using Shape = GatherShape<Rows, Threads, Depth>;

 public:
  __device__ JoinedRowsGather(const GemmArgs& a, const GatherRange& range)
      : a_(a),
        row_(range.first_row + Shape::own_row()),
        k_(range.first_k),
        depth_left_(range.end_k - range.first_k - Shape::own_k()) {
    find();
  }

  __device__ void copy_step(uint32_t target) {
    if (k_ == a_.first_k) find();
    const bool inside = depth_left_ > 0;
#pragma unroll
    for (int i = 0; i < Shape::rows; i++) {
      const bool wanted = inside && row_ + i * Shape::rows_apart < a_.m;
      copy_async(target + i * Shape::bytes_apart, p_ + static_cast<int64_t>(i) * step_, wanted);
    }
    p_ += Depth;
    k_ += Depth;
    depth_left_ -= Depth;
  }

 private:
  // The step that begins at k_.
  __device__ void find() {
    const bool is_first = k_ < a_.first_k;
    const int stride = is_first ? a_.first_k : a_.k - a_.first_k;
    const int column = (is_first ? k_ : k_ - a_.first_k) + Shape::own_k();
    p_ = elements(is_first ? a_.a : a_.second) + static_cast<int64_t>(row_) * stride + column;
    step_ = Shape::rows_apart * stride;
  }

  const GemmArgs& a_;
  const Element* p_;
  int step_, row_, k_, depth_left_;
};

// The output pixel of row m of y, as the input pixel under its first tap.
struct Patch {
  int picture, y, x;
  __device__ Patch(const GemmArgs& a, int m) {
    const int per_picture = a.ho * a.wo;
    picture = m / per_picture;
    const int rest = m - picture * per_picture, oy = rest / a.wo;
    y = oy * a.stride - a.pad_top;
    x = (rest - oy * a.wo) * a.stride - a.pad_left;
  }
};

// Patches of a picture whose pixels are multiples of 16 bytes, with at most 30 taps. For each row one offset
// and a bit for each tap that is inside of the picture: no division in the loop.
template <int Rows, int Threads, int Depth>
class TapsGather {
  using Shape = GatherShape<Rows, Threads, Depth>;

 public:
  __device__ TapsGather(const GemmArgs& a, const GatherRange& range) : a_(a) {
    const int height = a.h << a.enlarged, width = a.w << a.enlarged;
#pragma unroll
    for (int i = 0; i < Shape::rows; i++) {
      const int m = range.first_row + Shape::own_row() + i * Shape::rows_apart;
      Patch patch(a, m < a.m ? m : 0);
      patch.y += range.quarter.down;
      patch.x += range.quarter.right;
      uint32_t inside = 0;
      for (int r = 0; r < a.kh; r++) {
        for (int q = 0; q < a.kw; q++) {
          const bool in = static_cast<unsigned>(patch.y + r) < static_cast<unsigned>(height) &&
                          static_cast<unsigned>(patch.x + q) < static_cast<unsigned>(width);
          if (in) inside |= 1u << (r * a.kw + q);
        }
      }
      inside_[i] = m < a.m ? inside : 0;
      offset_[i] = ((patch.picture * a.h + (patch.y >> a.enlarged)) * a.w + (patch.x >> a.enlarged)) * a.c;
      // Enlarged, tap r reads row (y + r) / 2 = y / 2 + (r + y % 2) / 2: the remainders ride in the two
      // highest bits.
      if (a.enlarged) {
        inside_[i] |= static_cast<uint32_t>(patch.y & 1) << 30 | static_cast<uint32_t>(patch.x & 1) << 31;
      }
    }
    const int k = range.first_k + Shape::own_k(), tap = k / a.c;
    depth_left_ = range.end_k - k;
    channel_ = k - tap * a.c;
    tap_y_ = tap / a.kw;
    tap_x_ = tap - tap_y_ * a.kw;
  }

  __device__ void copy_step(uint32_t target) {
    const Element* x = elements(a_.a);
    const bool in_depth = depth_left_ > 0;
    // Not kept from step to step: sm_75 has no register left for it.
    const int tap = tap_y_ * a_.kw + tap_x_, tap_offset = (tap_y_ * a_.w + tap_x_) * a_.c;
#pragma unroll
    for (int i = 0; i < Shape::rows; i++) {
      const bool wanted = in_depth && inside_[i] >> tap & 1;
      int offset = offset_[i] + channel_;
      if (a_.enlarged) {
        const int down = (tap_y_ + static_cast<int>(inside_[i] >> 30 & 1)) >> 1;
        const int right = (tap_x_ + static_cast<int>(inside_[i] >> 31)) >> 1;
        offset += (down * a_.w + right) * a_.c;
      } else {
        offset += tap_offset;
      }
      copy_async(target + i * Shape::bytes_apart, x + offset, wanted);
    }
    depth_left_ -= Depth;
    channel_ += Depth;
    while (channel_ >= a_.c) {
      channel_ -= a_.c;
      if (++tap_x_ == a_.kw) {
        tap_x_ = 0;
        tap_y_++;
      }
    }
  }

 private:
  const GemmArgs& a_;
  int offset_[Shape::rows];
  uint32_t inside_[Shape::rows];
  int depth_left_, channel_, tap_y_, tap_x_;
};

// Anything else, element by element: first and last convolutions of a model, odd sizes.
template <int Rows, int Threads, int Depth>
class AnyGather {
  using Shape = GatherShape<Rows, Threads, Depth>;

 public:
  __device__ AnyGather(const GemmArgs& a, const GatherRange& range) : a_(a), end_k_(range.end_k) {
    first_row_ = range.first_row + Shape::own_row();
    k_ = range.first_k + Shape::own_k();
  }

  __device__ void copy_step(uint32_t target) {
#pragma unroll 1
    for (int i = 0; i < Shape::rows; i++) {
      const int m = first_row_ + i * Shape::rows_apart;
      uint32_t pairs[4] = {};
      if (m < a_.m) {
        const Patch patch(a_, m);
#pragma unroll
        for (int e = 0; e < 8; e++) pairs[e / 2] |= uint32_t{element(patch, k_ + e).bits} << (e % 2 * 16);
      }
      asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(target + i * Shape::bytes_apart),
                   "r"(pairs[0]), "r"(pairs[1]), "r"(pairs[2]), "r"(pairs[3])
                   : "memory");
    }
    k_ += Depth;
  }

 private:
  __device__ Element element(const Patch& patch, int k) const {
    const int tap = k / a_.c, y = patch.y + tap / a_.kw, x = patch.x + tap % a_.kw;
    const bool inside = k < end_k_ && static_cast<unsigned>(y) < static_cast<unsigned>(a_.h << a_.enlarged) &&
                        static_cast<unsigned>(x) < static_cast<unsigned>(a_.w << a_.enlarged);
    if (!inside) return {0};
    const int64_t pixel =
        (static_cast<int64_t>(patch.picture) * a_.h + (y >> a_.enlarged)) * a_.w + (x >> a_.enlarged);
    return elements(a_.a)[pixel * a_.c + k - tap * a_.c];
  }

  const GemmArgs& a_;
  int end_k_, first_row_, k_;
};

}  // namespace tintype::cuda
