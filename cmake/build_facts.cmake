# What the program says of its build (src/commands/version.c): generated/dinoft/build.h when CMake configures, and
# revision.h, by the target dinoft_revision, at every build.
string(TOUPPER "CMAKE_C_FLAGS_${CMAKE_BUILD_TYPE}" FLAGS_OF_TYPE)
string(STRIP "${CMAKE_C_FLAGS} ${${FLAGS_OF_TYPE}}" DINOFT_BUILD_FLAGS)
set(DINOFT_BUILD_CUDA off)
if(DINOFT_WITH_CUDA)
    string(REPLACE ";" " " DINOFT_BUILD_CUDA "on, for ${CMAKE_CUDA_ARCHITECTURES}, by nvcc ${CMAKE_CUDA_COMPILER_VERSION}")
endif()
set(DINOFT_BUILD_SANITIZERS off)
if(DINOFT_SANITIZE)
    set(DINOFT_BUILD_SANITIZERS "address, undefined")
endif()
configure_file(cmake/build.h.in ${CMAKE_BINARY_DIR}/generated/dinoft/build.h ESCAPE_QUOTES @ONLY)

find_package(Git QUIET)
add_custom_target(dinoft_revision
    COMMAND ${CMAKE_COMMAND} "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${CMAKE_SOURCE_DIR}"
        "-DHEADER=${CMAKE_BINARY_DIR}/generated/dinoft/revision.h" -P "${CMAKE_SOURCE_DIR}/cmake/revision.cmake"
    BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/dinoft/revision.h
    COMMENT "Asking git for the revision"
    VERBATIM)
