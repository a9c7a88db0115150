# Where the CUDA toolkit is: its tools, `cuda_root`, and CUDA_INCLUDE.

find_program(NVCC nvcc REQUIRED)
execute_process(COMMAND ${NVCC} --dryrun -x cu /dev/null -o /dev/null ERROR_VARIABLE nvcc_says OUTPUT_QUIET)
string(REGEX MATCH "#\\$ TOP=([^\n]*)" _ "${nvcc_says}")
get_filename_component(cuda_root "${CMAKE_MATCH_1}" ABSOLUTE)
find_program(FATBINARY fatbinary HINTS ${cuda_root}/bin REQUIRED)
find_path(CUDA_INCLUDE cuda_runtime_api.h HINTS ${cuda_root}/include ${cuda_root}/targets/x86_64-linux/include REQUIRED)
