/* A stub of CUDA's header of this name: what kernels are written in. The work is done by the functions
 * of emulated_device.h. */
#ifndef EMULATED_CUDA_RUNTIME_H
#define EMULATED_CUDA_RUNTIME_H

#include "cuda_runtime_api.h"
#include "emulated_vectors.h"

#include "emulated_device.h"

#include <cmath>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__    __attribute__((noinline))
#define __align__(n)    __attribute__((aligned(n)))
/* gcc leaves a trace of the number of threads that launches are checked by: instructions without effect
 * before the function's start, one for each warp, and a list of where they are. clang does not know it in
 * templates. */
#ifdef __clang__
#define __launch_bounds__(threads, ...)
#else
#define __launch_bounds__(threads, ...)                                                                      \
    __attribute__((patchable_function_entry(((threads) + 31) / 32, ((threads) + 31) / 32)))
#endif
/* Kernels may read it, as they may read all that is constant in the program. */
#define __constant__ __attribute__((section(".data.rel.ro")))

#define threadIdx df_emulated_thread_index()
#define blockIdx  df_emulated_block_index()
#define blockDim  df_emulated_block_dimensions()
#define gridDim   df_emulated_grid_dimensions()

/* --- barriers, votes and shuffles. The place of the call comes along for the reports. --- */

#define EMULATED_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATED_PLACE)
{
    df_emulated_barrier(DF_EMULATED_BARRIER, 0, file, line);
}

inline int __syncthreads_count(int predicate, EMULATED_PLACE)
{
    return df_emulated_barrier(DF_EMULATED_COUNT, predicate, file, line);
}

inline int __syncthreads_and(int predicate, EMULATED_PLACE)
{
    return df_emulated_barrier(DF_EMULATED_AND, predicate, file, line);
}

inline int __syncthreads_or(int predicate, EMULATED_PLACE)
{
    return df_emulated_barrier(DF_EMULATED_OR, predicate, file, line);
}

inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATED_PLACE)
{
    df_emulated_warp_barrier(mask, file, line);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATED_PLACE)
{
    return df_emulated_ballot(mask, predicate, file, line);
}

inline int __any_sync(unsigned mask, int predicate, EMULATED_PLACE)
{
    return df_emulated_ballot(mask, predicate, file, line) != 0;
}

inline int __all_sync(unsigned mask, int predicate, EMULATED_PLACE)
{
    return df_emulated_ballot(mask, predicate, file, line) == mask;
}

template <typename T>
inline T df_emulated_shuffle_of(enum df_emulated_shuffle_kind kind, unsigned mask, T value, int operand,
                                int width, const char *file, int line)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move words of 4 or 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = df_emulated_shuffle(kind, mask, bits, operand, width, file, line);
    memcpy(&value, &bits, sizeof value);
    return value;
}

template <typename T> inline T __shfl_sync(unsigned mask, T value, int lane, int width = 32, EMULATED_PLACE)
{
    return df_emulated_shuffle_of(DF_EMULATED_FROM, mask, value, lane, width, file, line);
}

template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATED_PLACE)
{
    return df_emulated_shuffle_of(DF_EMULATED_UP, mask, value, (int)delta, width, file, line);
}

template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATED_PLACE)
{
    return df_emulated_shuffle_of(DF_EMULATED_DOWN, mask, value, (int)delta, width, file, line);
}

template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, EMULATED_PLACE)
{
    return df_emulated_shuffle_of(DF_EMULATED_XOR, mask, value, lanes, width, file, line);
}

/* Every thread of the emulation sees memory as it is. */
inline void __threadfence()
{
}

inline void __threadfence_block()
{
}

/* --- atomics on integers --- */

inline int atomicAdd(int *p, int value)
{
    return (int)df_emulated_atomic_32(DF_EMULATED_ADD, (unsigned *)p, (unsigned)value, 0);
}

inline unsigned atomicAdd(unsigned *p, unsigned value)
{
    return df_emulated_atomic_32(DF_EMULATED_ADD, p, value, 0);
}

inline unsigned long long atomicAdd(unsigned long long *p, unsigned long long value)
{
    return df_emulated_atomic_add_64(p, value);
}

inline int atomicMax(int *p, int value)
{
    return (int)df_emulated_atomic_32(DF_EMULATED_MAX, (unsigned *)p, (unsigned)value, 0);
}

inline int atomicMin(int *p, int value)
{
    return (int)df_emulated_atomic_32(DF_EMULATED_MIN, (unsigned *)p, (unsigned)value, 0);
}

inline unsigned atomicOr(unsigned *p, unsigned value)
{
    return df_emulated_atomic_32(DF_EMULATED_BIT_OR, p, value, 0);
}

inline unsigned atomicExch(unsigned *p, unsigned value)
{
    return df_emulated_atomic_32(DF_EMULATED_EXCHANGE, p, value, 0);
}

inline unsigned atomicCAS(unsigned *p, unsigned expected, unsigned value)
{
    return df_emulated_atomic_32(DF_EMULATED_COMPARE, p, value, expected);
}

inline unsigned atomicInc(unsigned *p, unsigned limit)
{
    return df_emulated_atomic_32(DF_EMULATED_INCREMENT, p, limit, 0);
}

/* --- loads and stores that bypass a cache: here there is none --- */

template <typename T> inline T __ldg(const T *p)
{
    return *p;
}

template <typename T> inline T __ldcs(const T *p)
{
    return *p;
}

template <typename T> inline T __ldcg(const T *p)
{
    return *p;
}

template <typename T> inline void __stcs(T *p, T value)
{
    *p = value;
}

template <typename T> inline void __stwb(T *p, T value)
{
    *p = value;
}

template <typename T> inline void __stcg(T *p, T value)
{
    *p = value;
}

/* --- arithmetic --- */

inline float __uint_as_float(unsigned bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline float __int_as_float(int bits)
{
    return __uint_as_float((unsigned)bits);
}

inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline int __float_as_int(float value)
{
    return (int)__float_as_uint(value);
}

inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

inline double rsqrt(double x)
{
    return 1.0 / sqrt(x);
}

inline float __expf(float x)
{
    return expf(x);
}

inline float __logf(float x)
{
    return logf(x);
}

inline float __fdividef(float x, float y)
{
    return x / y;
}

inline float __frcp_rn(float x)
{
    return 1.0f / x;
}

inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}

inline float __fadd_rn(float x, float y)
{
    return x + y;
}

inline float __fsub_rn(float x, float y)
{
    return x - y;
}

inline float __fmul_rn(float x, float y)
{
    return x * y;
}

inline float __fdiv_rn(float x, float y)
{
    return x / y;
}

inline float __fmaf_rn(float x, float y, float z)
{
    return fmaf(x, y, z);
}

inline double __dmul_rn(double x, double y)
{
    return x * y;
}

inline int __float2int_rn(float x)
{
    return (int)nearbyintf(x);
}

inline int __float2int_rd(float x)
{
    return (int)floorf(x);
}

inline int __float2int_rz(float x)
{
    return (int)x;
}

inline float __saturatef(float x)
{
    return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f;
}

inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}

inline int __ffs(int x)
{
    return __builtin_ffs(x);
}

inline int __clz(int x)
{
    return x == 0 ? 32 : __builtin_clz((unsigned)x);
}

#define EMULATED_MIN_MAX(type)                                                                               \
    inline type min(type a, type b)                                                                          \
    {                                                                                                        \
        return b < a ? b : a;                                                                                \
    }                                                                                                        \
    inline type max(type a, type b)                                                                          \
    {                                                                                                        \
        return a < b ? b : a;                                                                                \
    }
EMULATED_MIN_MAX(int)
EMULATED_MIN_MAX(unsigned)
EMULATED_MIN_MAX(long)
EMULATED_MIN_MAX(unsigned long)
EMULATED_MIN_MAX(long long)
EMULATED_MIN_MAX(unsigned long long)
#undef EMULATED_MIN_MAX

/* Of a NaN and a number the device's functions give the number. */
inline float min(float a, float b)
{
    return fminf(a, b);
}

inline float max(float a, float b)
{
    return fmaxf(a, b);
}

inline double min(double a, double b)
{
    return fmin(a, b);
}

inline double max(double a, double b)
{
    return fmax(a, b);
}

/* --- host side --- */

template <typename R, typename... P>
inline cudaError_t cudaFuncSetAttribute(R (*function)(P...), enum cudaFuncAttribute attribute, int value)
{
    return cudaFuncSetAttribute(reinterpret_cast<const void *>(function), attribute, value);
}

template <typename R, typename... P>
inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, R (*function)(P...),
                                                                 int threads, size_t dynamic_shared)
{
    return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, reinterpret_cast<const void *>(function),
                                                         threads, dynamic_shared);
}

#endif
