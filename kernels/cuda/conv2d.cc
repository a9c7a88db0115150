#include <limits>
#include <stdexcept>
#include <string>

#include "group_norm.h"
#include "linear.h"
#include "pack.h"
#include "table.h"

namespace tintype::cuda {

namespace {

// A 1x1 convolution that keeps its size is a linear layer over the pixels.
bool pointwise(const Conv2dArgs& a) {
  const bool padded = a.pad_top != 0 || a.pad_left != 0 || a.pad_bottom != 0 || a.pad_right != 0;
  return a.kh == 1 && a.kw == 1 && a.stride == 1 && a.upsample == 1 && !padded;
}

LinearArgs as_linear(const Conv2dArgs& a) {
  return {a.n * a.ho * a.wo, a.o, a.c, a.x, a.weight, a.bias, a.residual, a.y, a.activation};
}

// Pixels must begin at multiples of 16 bytes, and a bit mask hold the taps.
bool by_taps(const Conv2dArgs& a) {
  return a.c % 8 == 0 && a.kh * a.kw <= 30;
}

PatchSize patch_size(const Conv2dArgs& a) {
  return {a.n, a.h, a.w, a.c, a.ho, a.wo, a.kh, a.kw, a.stride, a.pad_top, a.pad_left};
}

Copying copying_of(const Conv2dArgs& a, const Gpu& gpu) {
  const bool boxed = has_warpgroups(gpu.architecture) && a.upsample == 1 && fits_boxes(patch_size(a));
  return boxed ? Copying::engine : Copying::threads;
}

// `layers` convolutions of the same picture.
GemmSize size_of(const Conv2dArgs& a, int layers, const Gpu& gpu) {
  return {a.n * a.ho * a.wo, a.o, a.kh * a.kw * a.c, layers, false, copying_of(a, gpu)};
}

GemmVariant variant_of(const Conv2dArgs& a, int layers, const Gpu& gpu) {
  static const GemmTile* const any[] = {&gemm_64x64};
  static const GemmTile* const taps[] = {&gemm_128x160, &gemm_paired_128x160, &gemm_128x128, &gemm_64x160,
                                         &gemm_64x128,  &gemm_64x128_sliced,  &gemm_64x64};
  const GemmSize size = size_of(a, layers, gpu);
  if (size.copying == Copying::threads && !by_taps(a)) return choose_gemm(size, any, gpu);
  return choose_gemm(size, taps, gpu);
}

// Offsets in kernels are 32-bit.
void check_size(const Conv2dArgs& a, int layers) {
  const int64_t limit = std::numeric_limits<int32_t>::max();
  if (a.n * a.h * a.w * a.c > limit || layers * a.n * a.ho * a.wo > limit) {
    throw std::length_error("conv2d: a picture of " + std::to_string(a.w) + "x" + std::to_string(a.h) +
                            " with " + std::to_string(a.c) + " channels, " + std::to_string(a.n) +
                            " times, is more than 2^31 numbers");
  }
}

// What the normalised picture takes in front of the workspace of the product.
size_t normalized_bytes(const Conv2dArgs& a) {
  return a.mean ? static_cast<size_t>(ceil_div(a.n * a.h * a.w * a.c * 2, 256) * 256) : 0;
}

int64_t row_bias_period(const Conv2dArgs& a) {
  return a.rows == 1 ? a.n * a.ho * a.wo : a.ho * a.wo;
}

size_t product_workspace(const Conv2dArgs& a, const Gpu& gpu) {
  if (pointwise(a)) return linear_workspace(as_linear(a), gpu);
  return gemm_workspace(variant_of(a, 1, gpu), size_of(a, 1, gpu));
}

// The first quarter of a convolution of an enlarged picture (pack.h).
Conv2dArgs first_quarter(const UpsampleConv2dArgs& a) {
  Conv2dArgs quarter = {};
  quarter.n = a.n;
  quarter.h = quarter.ho = a.h;
  quarter.w = quarter.wo = a.w;
  quarter.c = a.c;
  quarter.o = a.o;
  quarter.kh = quarter.kw = 2;
  quarter.x = a.x;
  quarter.weight = a.weight;
  quarter.bias = a.bias;
  quarter.y = a.y;
  quarter.stride = quarter.upsample = 1;
  quarter.pad_top = quarter.pad_left = 1;
  quarter.activation = a.activation;
  return quarter;
}

// Of `layers` convolutions the weights lie one below the other.
void run_product(const Conv2dArgs& a, int layers, Launcher& launcher) {
  check_size(a, layers);
  GemmArgs args = {};
  args.a = a.x;
  args.row_bias = a.row_bias;
  args.row_bias_period = static_cast<int32_t>(row_bias_period(a));
  args.residual = a.residual;
  args.m = static_cast<int32_t>(a.n * a.ho * a.wo);
  args.n = static_cast<int32_t>(a.o);
  args.k = static_cast<int32_t>(a.kh * a.kw * a.c);
  args.b_stride = static_cast<int32_t>(packed_columns(args.k));
  args.layer_count = layers;
  for (int i = 0; i < layers; i++) {
    const auto* weight = static_cast<const uint16_t*>(a.weight.data) + i * a.o * args.b_stride;
    args.layers[i] = {weight, a.bias, a.y, {}};
  }
  args.activation = a.activation;
  args.h = static_cast<int32_t>(a.h);
  args.w = static_cast<int32_t>(a.w);
  args.c = static_cast<int32_t>(a.c);
  args.ho = static_cast<int32_t>(a.ho);
  args.wo = static_cast<int32_t>(a.wo);
  args.kh = static_cast<int32_t>(a.kh);
  args.kw = static_cast<int32_t>(a.kw);
  args.stride = a.stride;
  args.pad_top = a.pad_top;
  args.pad_left = a.pad_left;
  args.enlarged = a.upsample == 2 ? 1 : 0;
  const GemmVariant variant = variant_of(a, layers, launcher.gpu());
  if (copying_of(a, launcher.gpu()) == Copying::engine) {
    run_boxed_gemm("boxed_conv2d", args, variant, launcher, boxed_patches(a.x, patch_size(a)));
  } else {
    run_gemm(by_taps(a) ? "conv2d" : "gemm_any", args, variant, launcher);
  }
}

// The copies of the product go straight to shared memory, so a picture that is to be normalised is first
// written so.
class Behind : public Launcher {
 public:
  Behind(Launcher& launcher, size_t bytes) : launcher_(launcher), bytes_(bytes) {}
  void launch(const Launch& launch) override { launcher_.launch(launch); }
  TensorMap map(const BoxedTensor& tensor) override { return launcher_.map(tensor); }
  const Gpu& gpu() const override { return launcher_.gpu(); }
  void* workspace() const override { return static_cast<char*>(launcher_.workspace()) + bytes_; }

 private:
  Launcher& launcher_;
  size_t bytes_;
};

}  // namespace

size_t conv2d_workspace(const Conv2dArgs& a, const Gpu& gpu) {
  return normalized_bytes(a) + product_workspace(a, gpu);
}

void conv2d(const Conv2dArgs& a, Launcher& launcher) {
  if (a.mean) {
    float* normalized = static_cast<float*>(launcher.workspace());
    normalize({a.n, a.h * a.w, a.c, a.x, a.mean, a.factor, a.shift, normalized, a.input_activation},
              launcher);
    Conv2dArgs rest = a;
    rest.x = normalized;
    rest.mean = rest.factor = rest.shift = nullptr;
    Behind behind(launcher, normalized_bytes(a));
    return conv2d(rest, behind);
  }
  if (pointwise(a)) return run_linear(as_linear(a), {a.row_bias, row_bias_period(a)}, launcher);
  run_product(a, 1, launcher);
}

size_t upsample_conv2d_workspace(const UpsampleConv2dArgs& a, const Gpu& gpu) {
  const Conv2dArgs quarter = first_quarter(a);
  return gemm_workspace(variant_of(quarter, quarters, gpu), size_of(quarter, quarters, gpu));
}

void upsample_conv2d(const UpsampleConv2dArgs& a, Launcher& launcher) {
  run_product(first_quarter(a), quarters, launcher);
}

}  // namespace tintype::cuda
