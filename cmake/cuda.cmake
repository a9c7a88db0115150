# tintype_cuda.node: the kernels for every architecture as fat binaries within it, the CUDA runtime linked statically.

find_program(NVCC nvcc REQUIRED)
execute_process(COMMAND ${NVCC} --dryrun -x cu /dev/null -o /dev/null
  ERROR_VARIABLE nvcc_says OUTPUT_QUIET)
string(REGEX MATCH "#\\$ TOP=([^\n]*)" _ "${nvcc_says}")
get_filename_component(cuda_root "${CMAKE_MATCH_1}" ABSOLUTE)
find_path(CUDA_INCLUDE cuda_runtime_api.h HINTS ${cuda_root}/include ${cuda_root}/targets/x86_64-linux/include REQUIRED)
find_library(CUDART_STATIC cudart_static HINTS ${cuda_root}/lib64 ${cuda_root}/lib ${cuda_root}/targets/x86_64-linux/lib REQUIRED)

# Machine code for each, and PTX of the newest for what comes after it.
set(TINTYPE_CUDA_ARCHITECTURES 75 80 86 89 90 120 CACHE STRING "architectures of tintype_cuda.node")
list(GET TINTYPE_CUDA_ARCHITECTURES -1 newest)

file(GLOB cuda_sources CONFIGURE_DEPENDS kernels/cuda/*.cu)
set(includes "")
foreach(precision f16 bf16 fast)
  set(modules "")
  set(targets "")
  foreach(architecture IN LISTS TINTYPE_CUDA_ARCHITECTURES)
    # Turing has no bf16.
    if(NOT precision STREQUAL "bf16" OR architecture GREATER_EQUAL 80)
      list(APPEND targets -gencode=arch=compute_${architecture},code=sm_${architecture})
    endif()
  endforeach()
  list(APPEND targets -gencode=arch=compute_${newest},code=compute_${newest})
  foreach(source IN LISTS cuda_sources)
    get_filename_component(name ${source} NAME_WE)
    # All else is as in f16.
    if(precision STREQUAL "fast" AND NOT name MATCHES "^(linear|conv2d|gemm)$")
      continue()
    endif()
    set(fatbin ${CMAKE_CURRENT_BINARY_DIR}/${name}_${precision}.fatbin)
    add_custom_command(OUTPUT ${fatbin}
      COMMAND ${NVCC} -fatbin -std=c++20 --expt-relaxed-constexpr ${targets} -DTINTYPE_PRECISION=${precision}
        -MD -MF ${fatbin}.d -MT ${fatbin} -o ${fatbin} ${source}
      DEPENDS ${source} DEPFILE ${fatbin}.d VERBATIM)
    list(APPEND fatbins ${fatbin})
    set(symbol tintype_${name}_${precision})
    string(APPEND includes "__asm__(\".section .rodata\\n.balign 64\\n${symbol}:\\n.incbin \\\"${fatbin}\\\"\\n.previous\\n\");\n")
    string(APPEND includes "extern \"C\" const char ${symbol}[] __attribute__((visibility(\"hidden\")));\n")
    list(APPEND modules ${symbol})
  endforeach()
  list(JOIN modules ", " modules)
  string(APPEND functions "std::span<const void* const> ${precision}_modules() {\n  static const void* const all[] = {${modules}};\n  return all;\n}\n")
endforeach()
set(embedded ${CMAKE_CURRENT_BINARY_DIR}/modules.cc)
file(CONFIGURE OUTPUT ${embedded} @ONLY CONTENT "#include \"@CMAKE_CURRENT_SOURCE_DIR@/native/cuda/modules.h\"\n\n@includes@\nnamespace tintype::cuda {\n@functions@}\n")
set_source_files_properties(${embedded} PROPERTIES OBJECT_DEPENDS "${fatbins}")

file(GLOB cuda_native CONFIGURE_DEPENDS native/*.cc native/cuda/*.cc kernels/cuda/*.cc)
if(NOT TINTYPE_GLIBC_SYSROOT)
  list(FILTER cuda_native EXCLUDE REGEX "/glibc_compat\\.cc$")
endif()
add_library(tintype_cuda SHARED ${cuda_native} ${embedded} ${CMAKE_JS_SRC})
target_include_directories(tintype_cuda SYSTEM PRIVATE ${CUDA_INCLUDE})
target_link_libraries(tintype_cuda PRIVATE ${CUDART_STATIC})
if(NOT TINTYPE_GLIBC_SYSROOT)
  target_link_libraries(tintype_cuda PRIVATE rt dl)
endif()
tintype_addon(tintype_cuda)
