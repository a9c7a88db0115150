// Boxes of a tensor that the copy engine brings, stored as they lie in shared memory, with one mistake each,
// and twins without it: what the interpreter must and must not report.
#include "../../kernels/cuda/box_copy.cuh"
#include "../../kernels/cuda/mbarrier.cuh"

namespace tintype::cuda {

// Where a box begins, and how many bytes it has. Of rows x is the first, and channel their first column.
struct Place {
  int bytes, channel, x, y, picture, right, down;
};

struct Args {
  const uint16_t* x;
  const Place* places;
  uint32_t* y;
  TensorMap map;  // of x
};

enum class Mistake {
  none,
  expects_behind,  // the copy
  takes_turns,     // another box over the first, once that has been read
  no_turns,
  misaligned,
  behind_end,
  map_in_memory,
  no_publishing,
  no_arrival,
  expects_nothing,
  expects_less,
  expects_more,
  no_wait,
  some_wait,
  early_write,
};

enum class Of { rows, patches };

extern __shared__ __align__(1024) unsigned char shared[];

// Behind the box are the barriers: that it has arrived, and that all have read it.
__device__ uint32_t address_of(int offset) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared)) + offset;
}
__device__ uint32_t arrived(const Place& place) {
  return address_of(place.bytes);
}
__device__ uint32_t read(const Place& place) {
  return arrived(place) + 8;
}

template <Of What>
__device__ void copy(const TensorMap& map, const Place& place, int offset = 0) {
  const uint32_t target = address_of(offset), barrier = arrived(place);
  if constexpr (What == Of::rows) {
    copy_rows(target, map, place.channel, place.x, barrier);
  } else {
    copy_patches(target, map, place.channel, place.x, place.y, place.picture, place.right, place.down,
                 barrier);
  }
}

template <Mistake Made, Of What>
__device__ void bring(const Args& a, const Place& place) {
  constexpr int offset = Made == Mistake::misaligned ? 512 : Made == Mistake::behind_end ? 1 << 20 : 0;
  constexpr int more = Made == Mistake::expects_less ? -128 : Made == Mistake::expects_more ? 128 : 0;
  constexpr bool copies_first =
      Made == Mistake::expects_behind || Made == Mistake::expects_nothing || Made == Mistake::no_arrival;
  if constexpr (copies_first) copy<What>(a.map, place);
  if constexpr (Made == Mistake::expects_nothing) {
    arrive(arrived(place));
  } else if constexpr (Made != Mistake::no_arrival) {
    arrive_expecting(arrived(place), place.bytes + more);
  }
  if constexpr (Made == Mistake::map_in_memory) {
    copy<What>(*reinterpret_cast<const TensorMap*>(a.x), place);
  } else if constexpr (!copies_first) {
    copy<What>(a.map, place, offset);
  }
}

template <Mistake Made, Of What>
__device__ void store_boxes(const Args& a) {
  constexpr int boxes = Made == Mistake::takes_turns || Made == Mistake::no_turns ? 2 : 1;
  const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
  if (thread == 0) {
    init_barrier(arrived(*a.places), 1);
    init_barrier(read(*a.places), threads);
    if constexpr (Made != Mistake::no_publishing) publish_barriers();
  }
  for (int box = 0; box < boxes; box++) {
    const Place& place = a.places[box];
    const int words = place.bytes / 4;
    if (thread == 0) {
      if constexpr (Made == Mistake::takes_turns) wait_for_phase(read(place), box + 1 & 1);
      bring<Made, What>(a, place);
      if constexpr (Made == Mistake::early_write) *reinterpret_cast<volatile uint32_t*>(shared) = 0;
    }
    // The first time for the barriers.
    __syncthreads();
    if (Made != Mistake::no_wait && (Made != Mistake::some_wait || thread < 32)) {
      wait_for_phase(arrived(place), box);
    }
    for (int i = thread; i < words; i += threads) {
      a.y[box * words + i] = reinterpret_cast<volatile uint32_t*>(shared)[i];
    }
    arrive(read(place));
  }
}

#define BOXES(name, mistake, of)                                    \
  extern "C" __global__ void name(const __grid_constant__ Args a) { \
    store_boxes<Mistake::mistake, Of::of>(a);                       \
  }
#define ROWS_AND_PATCHES(name, mistake) \
  BOXES(rows_##name, mistake, rows)     \
  BOXES(patches_##name, mistake, patches)
ROWS_AND_PATCHES(stored, none)
ROWS_AND_PATCHES(expected_behind, expects_behind)
ROWS_AND_PATCHES(in_turns, takes_turns)
ROWS_AND_PATCHES(without_turns, no_turns)
ROWS_AND_PATCHES(misaligned, misaligned)
ROWS_AND_PATCHES(behind_end, behind_end)
ROWS_AND_PATCHES(by_map_in_memory, map_in_memory)
ROWS_AND_PATCHES(without_publishing, no_publishing)
ROWS_AND_PATCHES(without_arrival, no_arrival)
ROWS_AND_PATCHES(without_expecting, expects_nothing)
ROWS_AND_PATCHES(of_more_than_expected, expects_less)
ROWS_AND_PATCHES(of_less_than_expected, expects_more)
ROWS_AND_PATCHES(without_wait, no_wait)
ROWS_AND_PATCHES(that_some_wait_for, some_wait)
ROWS_AND_PATCHES(overwritten, early_write)
#undef ROWS_AND_PATCHES
#undef BOXES

}  // namespace tintype::cuda
