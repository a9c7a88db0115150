#include "tensor_boxes.h"

#include <cstring>

namespace tintype::ptx {

namespace {

// What begins a map, so that other bytes are none.
constexpr uint64_t made_here = 0x7465'6e73'6f72'6d61;

struct Image {
  uint64_t mark;
  cuda::BoxedTensor tensor;
};
static_assert(sizeof(Image) <= sizeof(cuda::TensorMap));

constexpr int64_t element_bytes = 2, chunk_elements = 8, chunks_of_row = cuda::box_columns / chunk_elements;

// Pixels, of pictures with two dimensions (PTX ISA, "Im2col mode": offsets of 8 bits).
constexpr int64_t most_moved = 255;

bool is_corner(int place) {
  return place >= -128 && place <= 127;
}

// The pixel of an output: those between the corners, one row after the other.
class Pixels {
 public:
  Pixels(const cuda::BoxedTensor& tensor, const BoxPlace& place)
      : t_(tensor), x_(place.at[1]), y_(place.at[2]), picture_(place.at[3]) {}
  bool is_one() const { return fits(x_, 0) && fits(y_, 1) && picture_ >= 0; }
  void advance() {
    x_ += t_.stride;
    if (x_ <= last(0)) return;
    x_ = t_.first[0];
    y_ += t_.stride;
    if (y_ <= last(1)) return;
    y_ = t_.first[1];
    picture_++;
  }
  // Its first element, or 0 outside of the picture.
  uint64_t address(const int64_t (&moved)[2]) const {
    const int64_t x = x_ + moved[0], y = y_ + moved[1];
    if (x < 0 || y < 0 || x >= t_.sizes[1] || y >= t_.sizes[2] || picture_ >= t_.sizes[3]) return 0;
    const int64_t pixel = (picture_ * t_.sizes[2] + y) * t_.sizes[1] + x;
    return reinterpret_cast<uint64_t>(t_.data) + static_cast<uint64_t>(pixel * t_.sizes[0] * element_bytes);
  }

 private:
  int64_t last(int d) const { return t_.sizes[1 + d] - 1 + t_.last[d]; }
  bool fits(int64_t place, int d) const {
    return place >= t_.first[d] && place <= last(d) && (place - t_.first[d]) % t_.stride == 0;
  }

  const cuda::BoxedTensor& t_;
  int64_t x_, y_, picture_;
};

}  // namespace

const char* wrong_with(const cuda::BoxedTensor& t) {
  if (reinterpret_cast<uint64_t>(t.data) % 16) return "tensor whose address is no multiple of 16";
  if (t.rank != (t.of_patches ? 4 : 2)) return "tensor of another rank";
  for (int i = 0; i < t.rank; i++) {
    if (t.sizes[i] < 1 || t.sizes[i] > int64_t{1} << 32) return "tensor that has no such size";
  }
  if (t.sizes[0] * element_bytes % 16) return "tensor whose rows are no multiples of 16 bytes";
  if (t.box_rows < 1 || t.box_rows > (t.of_patches ? 1024 : 256)) return "box of too many rows";
  if (!t.of_patches) return nullptr;
  if (t.stride < 1 || t.stride > 8) return "tensor whose pixels are too far apart";
  for (int d = 0; d < 2; d++) {
    if (!is_corner(t.first[d]) || !is_corner(t.last[d])) return "tensor whose corners are too far away";
    if (t.sizes[1 + d] - 1 + t.last[d] < t.first[d]) return "tensor without a pixel between its corners";
  }
  return nullptr;
}

cuda::TensorMap make_map(const cuda::BoxedTensor& tensor) {
  cuda::TensorMap map = {};
  const Image image = {made_here, tensor};
  std::memcpy(map.bytes, &image, sizeof image);
  return map;
}

const char* find_box(const uint8_t* map, int rank, const BoxPlace& place, std::vector<uint64_t>& chunks) {
  Image image;
  std::memcpy(&image, map, sizeof image);
  if (image.mark != made_here) return "copy by what is no tensor map";
  const cuda::BoxedTensor& t = image.tensor;
  if (t.rank != rank || t.of_patches != place.of_patches) return "copy of another kind than the tensor map";
  if (place.at[0] % chunk_elements) return "box that begins within a chunk of 16 bytes";
  chunks.assign(static_cast<size_t>(t.box_rows * chunks_of_row), 0);
  Pixels pixels(t, place);
  if (t.of_patches && !pixels.is_one()) return "box that begins at no pixel between the corners";
  for (const int64_t moved : place.moved) {
    if (moved < 0 || moved > most_moved) return "box that is moved too far";
  }
  for (int row = 0; row < t.box_rows; row++) {
    uint64_t begin = 0;
    if (t.of_patches) {
      begin = pixels.address(place.moved);
      pixels.advance();
    } else if (const int64_t y = place.at[1] + row; y >= 0 && y < t.sizes[1]) {
      begin = reinterpret_cast<uint64_t>(t.data) + static_cast<uint64_t>(y * t.sizes[0] * element_bytes);
    }
    if (begin == 0) continue;
    for (int c = 0; c < chunks_of_row; c++) {
      const int64_t column = place.at[0] + c * chunk_elements;
      if (column < 0 || column >= t.sizes[0]) continue;
      chunks[static_cast<size_t>(row * chunks_of_row + (c ^ (row & 7)))] =
          begin + static_cast<uint64_t>(column * element_bytes);
    }
  }
  return nullptr;
}

}  // namespace tintype::ptx
