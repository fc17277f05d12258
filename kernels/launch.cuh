/* How kernels are launched and how they get shared memory. nvcc has a syntax of its own for both; where
 * kernels are compiled as C++ for the tests (tests/emulation), these macros stand for it. */
#ifndef DINOFT_LAUNCH_CUH
#define DINOFT_LAUNCH_CUH

#include <cuda_bf16.h>
#include <cuda_runtime.h>

/* kernel<<<grid, block, shared, stream>>>(arguments); a kernel with commas in its template arguments goes in
 * parentheses: DF_LAUNCH((copy<float, 4>), grid, block, 0, stream, x, y). */
#ifdef __CUDACC__
#define DF_LAUNCH(kernel, grid, block, shared, stream, ...)                                                  \
    kernel<<<grid, block, shared, stream>>>(__VA_ARGS__)
#else
#define DF_LAUNCH(kernel, grid, block, shared, stream, ...)                                                  \
    df_emulated_launch(#kernel, kernel, grid, block, shared, stream, __VA_ARGS__)
#endif

/* Dynamic shared memory of a block, aligned to 16 bytes. Once in a kernel: areas of it are carved out by
 * hand. */
#ifdef __CUDACC__
#define DF_DYNAMIC_SHARED(type, name)                                                                        \
    extern __shared__ __align__(16) unsigned char df_dynamic_shared[];                                       \
    type *const name = reinterpret_cast<type *>(df_dynamic_shared)
#else
#define DF_DYNAMIC_SHARED(type, name) type *const name = static_cast<type *>(df_emulated_dynamic_shared())
#endif

/* A statically sized shared array of a block, aligned to 16 bytes: DF_SHARED(float, tile, [32][33]). In the
 * emulation each declaration (each instance of a template) has a record, by which the threads of a block find
 * the same memory. */
#ifdef __CUDACC__
#define DF_SHARED(type, name, extent) __shared__ __align__(16) type name extent
#else
#define DF_SHARED(type, name, extent)                                                                        \
    typedef type name##_shared_type extent;                                                                  \
    static struct df_emulated_shared name##_shared_record = {                                                \
        #name, __FILE__, __LINE__, sizeof(name##_shared_type), 0, nullptr};                                  \
    name##_shared_type &name =                                                                               \
        *static_cast<name##_shared_type *>(df_emulated_static_shared(&name##_shared_record))
#endif

#endif
