// wgmma: products of four warps together, read from shared memory while the warps go on. They are computed
// when they are issued; that nobody looks at them, or changes what they are made of, before they have been
// waited for is checked. Sums as in matrix_instructions.cc.
#include "half.h"
#include "instruction_set.h"
#include "matrix_descriptor.h"
#include "memory_access.h"

namespace tintype::ptx {

namespace {

constexpr int depth = 16, rows_of_group = 64, rows_of_warp = 16, most_columns = 256, side = 8;

void need_whole_warp(const Execution& x, const Instruction& i) {
  if (x.mask != all_lanes) fail(x, i, "instruction of a warpgroup executed by a part of the warp");
}

void together(Execution& x, const Instruction& i, uint64_t a = 0, uint64_t b = 0) {
  need_whole_warp(x, i);
  if (const char* wrong = x.warpgroups.execute(x.warp->id, {&i, a, b})) fail(x, i, wrong);
}

// The same for all lanes.
uint64_t descriptor(const Execution& x, const Instruction& i, const uint64_t* row) {
  for (int l = 1; l < lanes; l++) {
    if (row[l] != row[0]) fail(x, i, "lanes name different matrices");
  }
  return row[0];
}

int columns_of(const Execution& x, const Instruction& i) {
  return static_cast<int>(x.kernel.accumulators[static_cast<size_t>(i.immediate)].size()) * 2;
}

bool has(const Instruction& i, uint8_t how) {
  return i.variant & how;
}

MatrixDescriptor a_of(const PendingProduct& p) {
  return {p.a, rows_of_group};
}
MatrixDescriptor b_of(const Execution& x, const PendingProduct& p) {
  using Layout = MatrixDescriptor::Layout;
  const bool transposed = has(*p.instruction, WarpgroupProduct::transposed);
  return {p.b, columns_of(x, *p.instruction), transposed ? Layout::across_depth : Layout::along_depth};
}

// Every warp is taken to read all of A and B: which rows of A it needs is not said.
template <class F>
void for_chunks(const Execution& x, const PendingProduct& p, F f) {
  const auto each = [&](const MatrixDescriptor& matrix) {
    for (int chunk = 0; chunk < matrix.chunks(); chunk++) {
      for (int row = 0; row < matrix.rows(); row++) f(matrix.address(row, chunk));
    }
  };
  if (!has(*p.instruction, WarpgroupProduct::of_registers)) each(a_of(p));
  each(b_of(x, p));
}

template <bool Bf16, size_t Width>
void read_matrix(SharedMemory& shared, const MatrixDescriptor& matrix, int first_row, int rows,
                 float (*values)[Width]) {
  for (int row = 0; row < rows; row++) {
    for (int chunk = 0; chunk < matrix.chunks(); chunk++) {
      widen_eight<Bf16>(shared.at(matrix.address(first_row + row, chunk)), values[row] + chunk * side);
    }
  }
}

// Lane 4g + t holds columns 2t and 2t + 1 of rows g and g + 8 in its first two registers, and those 8 columns
// further in the others.
template <bool Bf16>
void read_registers(Execution& x, const Instruction& i, float (*a)[depth]) {
  for (int r = 0; r < 4; r++) {
    const uint32_t* words = x.row<uint32_t>(i.src[r]);
    for (int row = 0; row < side; row++) {
      widen_eight<Bf16>(words + row * 4, a[row + r % 2 * side] + r / 2 * side);
    }
  }
}

// Lane 4g + t holds columns 8j + 2t and 8j + 2t + 1 of rows g and g + 8 in its registers 4j to 4j + 3.
template <class F>
void for_accumulators(int columns, F f) {
  for (int r = 0; r < columns / 2; r++) {
    for (int l = 0; l < lanes; l++) f(r, l, l / 4 + r / 2 % 2 * side, r / 4 * side + l % 4 * 2 + r % 2);
  }
}

// D (16 rows of a warp) += A B^T, or A B where B is transposed
template <bool Bf16>
void multiply(Execution& x, const std::vector<uint32_t>& accumulators, const PendingProduct& p) {
  const int columns = static_cast<int>(accumulators.size()) * 2;
  alignas(32) static thread_local float a[rows_of_warp][depth], b[most_columns][depth],
      bt[depth][most_columns], d[rows_of_warp][most_columns];
  const Instruction& i = *p.instruction;
  if (has(i, WarpgroupProduct::of_registers)) {
    read_registers<Bf16>(x, i, a);
  } else {
    read_matrix<Bf16>(x.shared, a_of(p), x.warp->id % warps_of_group * rows_of_warp, rows_of_warp, a);
  }
  if (has(i, WarpgroupProduct::transposed)) {
    read_matrix<Bf16>(x.shared, b_of(x, p), 0, depth, bt);
  } else {
    read_matrix<Bf16>(x.shared, b_of(x, p), 0, columns, b);
    for (int n = 0; n < columns; n++) {
      for (int k = 0; k < depth; k++) bt[k][n] = b[n][k];
    }
  }
  const auto row_of = [&](int r) {
    return reinterpret_cast<float*>(x.row<uint32_t>(accumulators[static_cast<size_t>(r)]));
  };
  const bool replaces = has(i, WarpgroupProduct::replaces);
  for_accumulators(columns,
                   [&](int r, int l, int row, int column) { d[row][column] = replaces ? 0 : row_of(r)[l]; });
  for (int m = 0; m < rows_of_warp; m++) {
    for (int n = 0; n < columns; n += side) {
      __m256 sum = _mm256_load_ps(d[m] + n);
      for (int k = 0; k < depth; k++) {
        sum = _mm256_fmadd_ps(_mm256_broadcast_ss(a[m] + k), _mm256_load_ps(bt[k] + n), sum);
      }
      _mm256_store_ps(d[m] + n, sum);
    }
  }
  for_accumulators(columns, [&](int r, int l, int row, int column) { row_of(r)[l] = d[row][column]; });
}

ProductRegister& register_at(Execution& x, uint32_t place) {
  return x.warp->product_registers[place / (lanes * sizeof(uint32_t))];
}

// Those of products of the same shape may be in flight: their order is kept.
void claim_accumulators(Execution& x, const Instruction& i, const std::vector<uint32_t>& places) {
  for (size_t index = 0; index < places.size(); index++) {
    ProductRegister& sum = register_at(x, places[index]);
    if (sum.touched) fail(x, i, "accumulators that were touched since the last wgmma.fence");
    if (sum.in_flight && (sum.index != index || sum.count != places.size())) {
      fail(x, i, "accumulators of products of another shape in flight");
    }
    sum.in_flight++;
    sum.index = static_cast<uint16_t>(index);
    sum.count = static_cast<uint16_t>(places.size());
  }
}

template <class F>
void for_factors(Execution& x, const Instruction& i, F f) {
  if (!has(i, WarpgroupProduct::of_registers)) return;
  for (int r = 0; r < 4; r++) f(register_at(x, i.src[r]));
}

template <bool Bf16>
void issue(Execution& x, const Instruction& i) {
  need_whole_warp(x, i);
  const bool of_registers = has(i, WarpgroupProduct::of_registers);
  const PendingProduct product = {&i, of_registers ? 0 : descriptor(x, i, x.row<uint64_t>(i.src[0])),
                                  descriptor(x, i, x.row<uint64_t>(i.src[i.src_count - 1]))};
  together(x, i, product.a, product.b);
  if (const char* wrong = of_registers ? nullptr : a_of(product).wrong()) fail(x, i, wrong);
  if (const char* wrong = b_of(x, product).wrong()) fail(x, i, wrong);
  const auto& accumulators = x.kernel.accumulators[static_cast<size_t>(i.immediate)];
  claim_accumulators(x, i, accumulators);
  for_factors(x, i, [&](ProductRegister& factor) {
    if (factor.written) fail(x, i, "registers of A that were written since the last wgmma.fence");
    factor.multiplied++;
  });
  for_chunks(x, product, [&](uint32_t address) {
    demand(x, i, x.shared.begin_product(address, 16, x.toucher(Toucher::all)), 0);
  });
  multiply<Bf16>(x, accumulators, product);
  x.warp->uncommitted_products.push_back(product);
}

void end(Execution& x, const PendingProduct& product) {
  const Instruction& i = *product.instruction;
  for_chunks(x, product,
             [&](uint32_t address) { x.shared.end_product(address, 16, x.toucher(Toucher::all)); });
  for (const uint32_t place : x.kernel.accumulators[static_cast<size_t>(i.immediate)]) {
    register_at(x, place).in_flight--;
  }
  for_factors(x, i, [](ProductRegister& factor) { factor.multiplied--; });
}

}  // namespace

Handler multiply_warpgroup(bool bf16) {
  return bf16 ? issue<true> : issue<false>;
}

void fence_warpgroup(Execution& x, const Instruction& i) {
  together(x, i);
  for (ProductRegister& r : x.warp->product_registers) r.touched = r.written = false;
}

void commit_products(Execution& x, const Instruction& i) {
  together(x, i);
  x.warp->product_groups.push_back(std::move(x.warp->uncommitted_products));
  x.warp->uncommitted_products.clear();
}

void wait_for_products(Execution& x, const Instruction& i) {
  together(x, i);
  auto& groups = x.warp->product_groups;
  const auto keep = static_cast<size_t>(i.immediate);
  const size_t finished = groups.size() > keep ? groups.size() - keep : 0;
  for (size_t g = 0; g < finished; g++) {
    for (const PendingProduct& product : groups[g]) end(x, product);
  }
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(finished));
}

void fence_proxy(Execution& x, const Instruction& i) {
  for (int l = 0; l < lanes; l++) {
    if (x.has(l)) x.shared.publish(x.toucher(static_cast<uint8_t>(l)));
  }
  if (!x.cluster) return;
  fence_mbarrier_inits(x, i);
  x.cluster->clocks.tick(x.who(0).warp);
}

// Registers are not counted here: what a kernel has is known when it is compiled for real.
void set_register_count(Execution& x, const Instruction& i) {
  if (i.immediate < 24 || i.immediate > 256 || i.immediate % 8) fail(x, i, "setmaxnreg to no such number");
  together(x, i);
}

void touch_products(Execution& x, const Instruction& i) {
  const auto touch = [&](uint32_t place, bool writes) {
    const size_t row = place / (lanes * sizeof(uint32_t));
    if (row >= x.warp->product_registers.size()) return;
    ProductRegister& r = x.warp->product_registers[row];
    if (r.in_flight || (writes && r.multiplied)) fail(x, i, "register of a product in flight");
    r.touched = true;
    r.written |= writes;
  };
  for (int q = 0; q < i.dst_count; q++) touch(i.dst[q], true);
  for (int q = 0; q < i.src_count; q++) touch(i.src[q], false);
}

}  // namespace tintype::ptx
