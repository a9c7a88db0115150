# Which modules the CUDA kernels are compiled to: each source once for each precision. `fast` differs from f16 in products of
# matrices alone.

set(cuda_precisions f16 bf16 fast)
file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../kernels/cuda/*.cu)
foreach(precision IN LISTS cuda_precisions)
  set(cuda_sources_${precision} ${cuda_sources})
endforeach()
list(FILTER cuda_sources_fast INCLUDE REGEX "/(linear|conv2d|gemm)\\.cu$")
