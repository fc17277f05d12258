/* Tensor cores and asynchronous copies: the only place with instructions that C++ has no words for. Where
 * kernels are compiled as C++ (tests/emulation), the functions of the same names there take their place.
 *
 * A warp's lanes work together: all 32 call, with the same arguments where nothing else is said. Fragments
 * are those of the PTX manual; g = lane / 4, t = lane % 4, and a register of bfloat16 holds two neighbours,
 * the first in its lower half. */
#ifndef DINOFT_MMA_CUH
#define DINOFT_MMA_CUH

#include "launch.cuh"

#include <cstdint>

/* d = a b + c with a [16, 16], b [16, 8], c and d [16, 8], float32 sums of products of bfloat16.
 *   a[0], a[1], a[2], a[3]: rows g, g + 8, g, g + 8; columns 2t and 2t + 1 in the first two, 2t + 8 and 2t +
 * 9 in the others b[0], b[1]: rows 2t, 2t + 1 and 2t + 8, 2t + 9; column g c[0], c[1]: row g, columns 2t, 2t
 * + 1; c[2], c[3]: row g + 8 d may be c. */
__device__ __forceinline__ void mma_m16n8k16(float d[4], const uint32_t a[4], const uint32_t b[2],
                                             const float c[4]);

/* 8 x 8 matrices of bfloat16 from shared memory: lanes 0 to 7 give the addresses of the first matrix's rows
 * (16 bytes, aligned), lanes 8 to 15 the second's, and so on; the other lanes of an x2 are not asked. r[i] of
 * a lane: row g, columns 2t and 2t + 1 of matrix i, or of its transpose. */
__device__ __forceinline__ void ldmatrix_x4(uint32_t r[4], const void *shared);
__device__ __forceinline__ void ldmatrix_x2(uint32_t r[2], const void *shared);
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t r[4], const void *shared);
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t r[2], const void *shared);

/* Starts copying 16 bytes to shared memory, or zeros where not valid (then `global` is not read). A thread's
 * copies since the last commit are a group; cp_async_wait<N> waits for all its groups but the latest N. Other
 * threads see the bytes after a barrier that follows the wait. */
__device__ __forceinline__ void cp_async_16(void *shared, const void *global, bool valid);
__device__ __forceinline__ void cp_async_commit();
template <int N> __device__ __forceinline__ void cp_async_wait();

#ifndef __CUDACC__

__device__ __forceinline__ void mma_m16n8k16(float d[4], const uint32_t a[4], const uint32_t b[2],
                                             const float c[4])
{
    df_emulated_mma_m16n8k16(d, a, b, c);
}

__device__ __forceinline__ void ldmatrix_x4(uint32_t r[4], const void *shared)
{
    df_emulated_ldmatrix(r, shared, 4, false);
}

__device__ __forceinline__ void ldmatrix_x2(uint32_t r[2], const void *shared)
{
    df_emulated_ldmatrix(r, shared, 2, false);
}

__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t r[4], const void *shared)
{
    df_emulated_ldmatrix(r, shared, 4, true);
}

__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t r[2], const void *shared)
{
    df_emulated_ldmatrix(r, shared, 2, true);
}

__device__ __forceinline__ void cp_async_16(void *shared, const void *global, bool valid)
{
    df_emulated_copy_async(shared, global, valid);
}

__device__ __forceinline__ void cp_async_commit()
{
    df_emulated_copy_commit();
}

template <int N> __device__ __forceinline__ void cp_async_wait()
{
    df_emulated_copy_wait(N);
}

#endif

#endif
