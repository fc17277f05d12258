# The host side of the CUDA backend, for the library and for the emulation's tests.
file(GLOB DINOFT_CUDA_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
