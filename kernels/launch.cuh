/* How kernels are launched. nvcc has a syntax of its own for that; where they are compiled as C++ for the tests
 * (tests/emulation), a macro does it. */
#ifndef DINOFT_LAUNCH_CUH
#define DINOFT_LAUNCH_CUH

#include <cuda_bf16.h>
#include <cuda_runtime.h>

/* kernel<<<grid, block, shared, stream>>>(arguments); a kernel with commas in its template arguments goes in parentheses. */
#ifdef __CUDACC__
#define DF_LAUNCH(kernel, grid, block, shared, stream, ...) kernel<<<grid, block, shared, stream>>>(__VA_ARGS__)
#else
#define DF_LAUNCH(kernel, grid, block, shared, stream, ...)                                                                  \
    df_emulated_launch(#kernel, grid, block, shared, stream, [=]() { kernel(__VA_ARGS__); })
#endif

/* Dynamic shared memory of a block, aligned to 16 bytes. */
#ifdef __CUDACC__
#define DF_DYNAMIC_SHARED(type, name)                                                                                        \
    extern __shared__ __align__(16) unsigned char df_dynamic_shared[];                                                       \
    type *name = reinterpret_cast<type *>(df_dynamic_shared)
#else
#define DF_DYNAMIC_SHARED(type, name) type *name = static_cast<type *>(df_emulated_dynamic_shared())
#endif

/* A statically sized shared array of a block: DF_SHARED(float, sums, [32]). */
#ifdef __CUDACC__
#define DF_SHARED(type, name, extent) __shared__ type name extent
#else
#define DF_SHARED(type, name, extent)                                                                                        \
    typedef type name##_shared_type extent;                                                                                  \
    name##_shared_type &name = *static_cast<name##_shared_type *>(                                                           \
        df_emulated_static_shared(#name, sizeof(name##_shared_type), __FILE__, __LINE__))
#endif

#endif
