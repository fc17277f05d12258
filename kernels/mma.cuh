/* Tensor cores and asynchronous copies: the only place with instructions that C++ has no words for. Where
 * kernels are compiled as C++ (tests/emulation), functions of the same names there replace them.
 *
 * A warp's lanes work together: all 32 call, with the same arguments where nothing else is said. Fragments
 * are those of the PTX manual; g = lane / 4, t = lane % 4, and a register of bfloat16 holds two neighbours,
 * the first in its lower half. */
#ifndef DINOFT_MMA_CUH
#define DINOFT_MMA_CUH

#include "launch.cuh"

#include <cstdint>

/* d = a b + c with a [16, 16], b [16, 8], c and d [16, 8], float32 sums of products of bfloat16. d may be c.
 *
 *   a[0]  row g      columns 2t, 2t + 1          b[0]  rows 2t, 2t + 1      column g
 *   a[1]  row g + 8  columns 2t, 2t + 1          b[1]  rows 2t + 8, 2t + 9  column g
 *   a[2]  row g      columns 2t + 8, 2t + 9
 *   a[3]  row g + 8  columns 2t + 8, 2t + 9      c[0], c[1]  row g      columns 2t, 2t + 1
 *                                                c[2], c[3]  row g + 8  columns 2t, 2t + 1 */
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

/* 2^x, relative error below 2^-22; 0 where that would be below 2^-126. One instruction, where exp2f takes
 * five.
 */
__device__ __forceinline__ float fast_exp2(float x);

#ifdef __CUDACC__

__device__ __forceinline__ void mma_m16n8k16(float d[4], const uint32_t a[4], const uint32_t b[2],
                                             const float c[4])
{
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%10, %11, %12, %13};"
        : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]), "f"(c[2]),
          "f"(c[3]));
}

/* The address of shared memory that instructions take. */
__device__ __forceinline__ uint32_t shared_address(const void *shared)
{
    return (uint32_t)__cvta_generic_to_shared(shared);
}

/* "memory", because what is read is named by no operand: stores before and after have to stay there. */
__device__ __forceinline__ void ldmatrix_x4(uint32_t r[4], const void *shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(shared))
                 : "memory");
}

__device__ __forceinline__ void ldmatrix_x2(uint32_t r[2], const void *shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(shared_address(shared))
                 : "memory");
}

__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t r[4], const void *shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(shared))
                 : "memory");
}

__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t r[2], const void *shared)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(r[0]), "=r"(r[1])
                 : "r"(shared_address(shared))
                 : "memory");
}

/* Past the L1 cache: what a block copies it reads from shared memory. */
__device__ __forceinline__ void cp_async_16(void *shared, const void *global, bool valid)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
                 "r"(valid ? 16 : 0)
                 : "memory");
}

__device__ __forceinline__ void cp_async_commit()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int N> __device__ __forceinline__ void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

__device__ __forceinline__ float fast_exp2(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#else

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

__device__ __forceinline__ float fast_exp2(float x)
{
    return df_emulated_fast_exp2(x);
}

#endif

#endif
