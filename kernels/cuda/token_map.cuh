// The map of tokens, as token merging sees it: windows of 2x2 keep one each, its destination.
#pragma once
#include "token_merging.h"

namespace tintype::cuda {

class TokenMap {
 public:
  __device__ explicit TokenMap(const MatchTokensArgs& a)
      : corners_(a.corners),
        h_(static_cast<int>(a.h)),
        w_(static_cast<int>(a.w)),
        across_(static_cast<int>((a.w + 1) / 2)) {}

  __device__ int tokens() const { return h_ * w_; }
  __device__ int window_of(int token) const { return token / w_ / 2 * across_ + token % w_ / 2; }

  // Where an odd side ends, a corner may be the token beside or above it.
  __device__ int destination_of(int window) const {
    const int corner = min(max(corners_[window], 0), 3);
    const int y = min(window / across_ * 2 + corner / 2, h_ - 1);
    return y * w_ + min(window % across_ * 2 + corner % 2, w_ - 1);
  }

  // Token `index`, of window_sources, that a window does not keep; -1 where the map has ended.
  __device__ int source_of(int window, int index) const {
    const int first_y = window / across_ * 2, first_x = window % across_ * 2,
              destination = destination_of(window);
    const int corner = (destination / w_ - first_y) * 2 + destination % w_ - first_x;
    const int own = index < corner ? index : index + 1;
    const int y = first_y + own / 2, x = first_x + own % 2;
    return y < h_ && x < w_ ? y * w_ + x : -1;
  }

 private:
  const int32_t* corners_;
  int h_, w_, across_;
};

}  // namespace tintype::cuda
