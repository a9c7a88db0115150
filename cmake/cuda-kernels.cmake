# How CUDA kernels are compiled: each source for each precision to PTX, that to machine code for each architecture, and
# both to one fat binary. The package has the fat binaries in it; tests run the very PTX that these were made of, and read
# what ptxas says of it. In the folder `cuda_kernels`, which is set before:
#
#   compute_80/f16/linear.ptx   what nvcc emits
#   sm_86/f16/linear.ptx        what an architecture runs: the PTX of its own, or of the next one below that has some
#   sm_86/f16/linear.cubin      machine code of it, and in linear.log what that takes of a processor
#   linear_f16.fatbin           machine code for each architecture, and PTX for those that have none: of the newest for what
#                               comes after it, of 80 for what lies between 90 and 120

include(${CMAKE_CURRENT_LIST_DIR}/cuda-toolkit.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cuda-modules.cmake)

set(TINTYPE_CUDA_ARCHITECTURES 75 80 86 89 90 120 CACHE STRING "architectures of tintype_cuda.node")
# What sources ask for by __CUDA_ARCH__ (a test looks), and the newest, which nvcc optimises for in another way. For 86 and
# 89 it would emit what it emits for 80.
set(ptx_architectures 75 80 90 120)
# wgmma is of sm_90a, whose machine code runs on every GPU of compute capability 9.0.
set(full_name_90 90a)

# What the tools call an architecture.
function(full_name architecture result)
  set(${result} ${architecture} PARENT_SCOPE)
  if(DEFINED full_name_${architecture})
    set(${result} ${full_name_${architecture}} PARENT_SCOPE)
  endif()
endfunction()

function(add_ptx source output architecture)
  full_name(${architecture} target)
  cmake_path(GET output PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${output}
    COMMAND ${NVCC} -ptx -std=c++20 --expt-relaxed-constexpr -arch=compute_${target} ${ARGN}
      -MD -MF ${output}.d -MT ${output} -o ${output} ${source}
    DEPENDS ${source} DEPFILE ${output}.d VERBATIM)
endfunction()

# Of `ptx` a copy, machine code and a log, named `base`.
function(add_cubin ptx base architecture)
  full_name(${architecture} target)
  cmake_path(GET base PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${base}.ptx COMMAND ${CMAKE_COMMAND} -E copy ${ptx} ${base}.ptx DEPENDS ${ptx} VERBATIM)
  add_custom_command(OUTPUT ${base}.cubin
    COMMAND sh -c "\"$@\" > ${base}.log 2>&1 || { cat ${base}.log; exit 1; }" sh
      ${NVCC} -cubin -arch=sm_${target} -Xptxas -v -o ${base}.cubin ${base}.ptx
    DEPENDS ${base}.ptx VERBATIM)
endfunction()

# Of `from` the PTX, machine code and log as `base`.
function(copy_cubin from base)
  cmake_path(GET base PARENT_PATH folder)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${base}.ptx COMMAND ${CMAKE_COMMAND} -E copy ${from}.ptx ${base}.ptx DEPENDS ${from}.ptx VERBATIM)
  add_custom_command(OUTPUT ${base}.cubin
    COMMAND ${CMAKE_COMMAND} -E copy ${from}.cubin ${base}.cubin
    COMMAND ${CMAKE_COMMAND} -E copy ${from}.log ${base}.log
    DEPENDS ${from}.cubin VERBATIM)
endfunction()

foreach(precision IN LISTS cuda_precisions)
  foreach(source IN LISTS cuda_sources_${precision})
    cmake_path(GET source STEM name)
    set(images "")
    set(made "")
    set(ptx_80 "")
    foreach(architecture IN LISTS TINTYPE_CUDA_ARCHITECTURES)
      # Turing has no bf16.
      if(precision STREQUAL "bf16" AND architecture LESS 80)
        continue()
      endif()
      foreach(candidate IN LISTS ptx_architectures)
        if(candidate LESS_EQUAL architecture)
          set(virtual ${candidate})
        endif()
      endforeach()
      set(base ${cuda_kernels}/sm_${architecture}/${precision}/${name})
      if(precision STREQUAL "fast" AND architecture EQUAL 90)
        # wgmma is as fast with float32 sums.
        copy_cubin(${cuda_kernels}/sm_${architecture}/f16/${name} ${base})
        set(ptx ${base}.ptx)
      else()
        set(ptx ${cuda_kernels}/compute_${virtual}/${precision}/${name}.ptx)
        if(NOT ptx IN_LIST made)
          add_ptx(${source} ${ptx} ${virtual} -DTINTYPE_PRECISION=${precision})
        endif()
        add_cubin(${ptx} ${base} ${architecture})
      endif()
      full_name(${architecture} target)
      list(APPEND images --image3=kind=elf,sm=${target},file=${base}.cubin)
      if(architecture EQUAL 80)
        set(ptx_80 --image3=kind=ptx,sm=80,file=${ptx})
      endif()
      list(APPEND made ${ptx} ${base}.cubin)
      list(APPEND ptx_sm_${architecture} ${base}.ptx)
    endforeach()
    if(virtual EQUAL 80)
      set(ptx_80 "")
    endif()
    set(fatbin ${cuda_kernels}/${name}_${precision}.fatbin)
    add_custom_command(OUTPUT ${fatbin}
      COMMAND ${FATBINARY} -64 --create=${fatbin} ${images} ${ptx_80} --image3=kind=ptx,sm=${virtual},file=${ptx}
      DEPENDS ${made} VERBATIM)
    list(APPEND cuda_fatbins ${fatbin})
  endforeach()
endforeach()
