// A convolution of an enlarged picture, for which a GPU has weights of its own: here it is one as any other.
#include <cstdint>

#include "../args.gen.h"
#include "../exec.h"

namespace tintype::TINTYPE_ISA {

void conv2d(const Conv2dArgs&, const Exec&);
ScratchSize conv2d_scratch(const Conv2dArgs&);

namespace {

Conv2dArgs convolved(const UpsampleConv2dArgs& a) {
  Conv2dArgs all = {};
  all.n = a.n;
  all.h = a.h;
  all.w = a.w;
  all.c = a.c;
  all.ho = a.ho;
  all.wo = a.wo;
  all.o = a.o;
  all.kh = a.kh;
  all.kw = a.kw;
  all.rows = 1;
  all.x = a.x;
  all.weight = a.weight;
  all.bias = a.bias;
  all.y = a.y;
  all.stride = 1;
  all.pad_top = all.pad_left = all.pad_bottom = all.pad_right = 1;
  all.upsample = 2;
  all.activation = a.activation;
  return all;
}

}  // namespace

ScratchSize upsample_conv2d_scratch(const UpsampleConv2dArgs& a) {
  return conv2d_scratch(convolved(a));
}

void upsample_conv2d(const UpsampleConv2dArgs& a, const Exec& exec) {
  conv2d(convolved(a), exec);
}

}  // namespace tintype::TINTYPE_ISA
