# cmake -DFOLDER=… -DCUDA_LIBRARIES=… -P bundle_libraries.cmake: for scripts/gpu_bundle.sh, whose programs lie in FOLDER.
cmake_minimum_required(VERSION 3.19)
include(${CMAKE_CURRENT_LIST_DIR}/bring_libraries.cmake)
file(GLOB PROGRAMS "${FOLDER}/bin/*" "${FOLDER}/tests/test_*")
bring_libraries("${FOLDER}/lib/dinoft" "${FOLDER}/licences" ${PROGRAMS})
