// Convolutions as an implicit GEMM: the matrix of patches is never built, its rows are pointed at pixel by
// pixel.
#include "contraction.h"
#include "gemm.h"
#include "gemm_panels.h"
#include "strassen.h"
#include "winograd.h"

namespace tintype::TINTYPE_ISA {
namespace {

GemmShape shape_of(const Conv2dArgs& a) {
  return {a.n * a.ho * a.wo, a.o, a.kh * a.kw * a.c};
}

// A 1x1 convolution that keeps its size is a linear layer over the pixels.
bool pointwise(const Conv2dArgs& a) {
  const bool padded = a.pad_top != 0 || a.pad_left != 0 || a.pad_bottom != 0 || a.pad_right != 0;
  return a.kh == 1 && a.kw == 1 && a.stride == 1 && a.upsample == 1 && !padded;
}

// What lies outside of the picture.
alignas(64) const float zeros[kMostRead] = {};

// Row m is an output pixel's patch, (kh, kw, c): one stretch of c elements for each tap.
int64_t point_patches(const void* context, int64_t m, int rows, int64_t k, const float** row) {
  const Conv2dArgs& a = *static_cast<const Conv2dArgs*>(context);
  const int64_t tap = k / a.c;
  const int64_t channel = k - tap * a.c;
  const int64_t down = tap / a.kw - a.pad_top;
  const int64_t right = tap % a.kw - a.pad_left;
  int64_t picture = m / (a.ho * a.wo);
  int64_t oy = m / a.wo % a.ho;
  int64_t ox = m % a.wo;
  for (int i = 0; i < rows; i++) {
    const int64_t iy = oy * a.stride + down;
    const int64_t ix = ox * a.stride + right;
    const bool inside = iy >= 0 && iy < a.h * a.upsample && ix >= 0 && ix < a.w * a.upsample;
    const int64_t pixel = (picture * a.h + iy / a.upsample) * a.w + ix / a.upsample;
    row[i] = inside ? a.x + pixel * a.c + channel : zeros;
    if (++ox < a.wo) continue;
    ox = 0;
    if (++oy < a.ho) continue;
    oy = 0;
    picture++;
  }
  return a.c - channel;
}

}  // namespace

void conv2d(const Conv2dArgs& args, const Exec& exec) {
  const GemmShape shape = shape_of(args);
  const int64_t period = args.rows == 1 ? shape.m : args.ho * args.wo;
  const float* scales = scales_of(args.weight, shape.n, shape.k);
  const Epilogue epilogue{scales, args.bias, args.row_bias, period, args.activation, args.residual, args.y};
  if (args.algorithm == ConvAlgorithm::winograd4 || args.algorithm == ConvAlgorithm::winograd6) {
    if (winograd_takes_blocks(args)) return winograd_blocks(args, epilogue, exec);
    return winograd(args, epilogue, exec);
  }
  if (args.algorithm == ConvAlgorithm::contraction) return contraction(args, epilogue, exec);
  const MatrixRows pixels{args.x, args.c};
  const GemmSource source = pointwise(args) ? pixels.source() : GemmSource{&args, point_patches};
  const GemmArgs product{shape, source, args.weight, epilogue};
  if (takes_strassen(args.algorithm, args.weight)) return strassen(product, exec);
  gemm(product, exec);
}

ScratchSize conv2d_scratch(const Conv2dArgs& args) {
  switch (args.algorithm) {
    case ConvAlgorithm::winograd4:
    case ConvAlgorithm::winograd6:
      return winograd_takes_blocks(args) ? winograd_blocks_scratch(args) : winograd_scratch(args);
    case ConvAlgorithm::strassen:
      if (takes_strassen(args.algorithm, args.weight)) return strassen_scratch(shape_of(args));
      break;
    case ConvAlgorithm::contraction:
      return contraction_scratch(args);
    default:
      break;
  }
  return gemm_scratch(shape_of(args), args.weight.dtype);
}

}  // namespace tintype::TINTYPE_ISA
