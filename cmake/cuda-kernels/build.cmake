# Builds TARGETS of this project in FOLDER, one process after the other: ninja and make do not look whether another is at it.
# usage: cmake -DFOLDER=... "-DTARGETS=ptx_sm_80;..." -P build.cmake

file(MAKE_DIRECTORY ${FOLDER})
file(LOCK ${FOLDER} DIRECTORY)
find_program(NINJA NAMES ninja ninja-build)
if(NINJA AND NOT EXISTS ${FOLDER}/Makefile)
  set(generator -G Ninja)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${FOLDER} ${generator} COMMAND_ERROR_IS_FATAL ANY)
cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES)
# Not at once: make would make twice what two targets share.
foreach(target IN LISTS TARGETS)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${FOLDER} --parallel ${processors} --target ${target} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
