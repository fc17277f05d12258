/* What the emulated device does for a kernel, and how one is launched. Kernels do not call these themselves:
 * they use CUDA's names (cuda_runtime.h) and the macros of kernels/launch.cuh. */
#ifndef EMULATED_DEVICE_H
#define EMULATED_DEVICE_H

#include "cuda_runtime_api.h"
#include "emulated_vectors.h"

#include <type_traits>

extern "C" {

/* The running thread's place. It does not change while a kernel's function runs, which `const` tells the
 * compiler. */
uint3 df_emulated_thread_index(void) __attribute__((const));
uint3 df_emulated_block_index(void) __attribute__((const));
uint3 df_emulated_block_dimensions(void) __attribute__((const));
uint3 df_emulated_grid_dimensions(void) __attribute__((const));

/* One declaration of a static shared array. */
struct df_emulated_shared {
    const char *name, *file;
    int line;
    size_t bytes;
    uint64_t block; /* for which `memory` is good */
    void *memory;
};

void *df_emulated_static_shared(struct df_emulated_shared *record);
void *df_emulated_dynamic_shared(void);

enum df_emulated_reduction { DF_EMULATED_BARRIER, DF_EMULATED_COUNT, DF_EMULATED_AND, DF_EMULATED_OR };
int df_emulated_barrier(enum df_emulated_reduction reduction, int predicate, const char *file, int line);

/* Each waits for all lanes of the mask. */
void df_emulated_warp_barrier(unsigned mask, const char *file, int line);
unsigned df_emulated_ballot(unsigned mask, int predicate, const char *file, int line);
enum df_emulated_shuffle_kind { DF_EMULATED_FROM, DF_EMULATED_UP, DF_EMULATED_DOWN, DF_EMULATED_XOR };
uint64_t df_emulated_shuffle(enum df_emulated_shuffle_kind kind, unsigned mask, uint64_t value, int operand,
                             int width, const char *file, int line);

enum df_emulated_atomic {
    DF_EMULATED_ADD,
    DF_EMULATED_MAX,
    DF_EMULATED_MIN,
    DF_EMULATED_BIT_OR,
    DF_EMULATED_EXCHANGE,
    DF_EMULATED_COMPARE,
    DF_EMULATED_INCREMENT
};
/* The old value; maximum and minimum are those of int. */
unsigned df_emulated_atomic_32(enum df_emulated_atomic operation, unsigned *p, unsigned value,
                               unsigned expected);
unsigned long long df_emulated_atomic_add_64(unsigned long long *p, unsigned long long value);

/* kernels/mma.cuh says what they do. */
void df_emulated_mma_m16n8k16(float *d, const uint32_t *a, const uint32_t *b, const float *c);
void df_emulated_ldmatrix(uint32_t *r, const void *shared, int matrices, bool transpose);
void df_emulated_copy_async(void *shared, const void *global, bool valid);
void df_emulated_copy_commit(void);
void df_emulated_copy_wait(int groups);
float df_emulated_fast_exp2(float x);

} /* extern "C" */

/* A launch. `call` runs one thread: it hands the function the arguments, a copy of which is kept for launches
 * that are carried out later or more than once. */
struct df_emulated_kernel {
    const char *name;
    const void *function;
    dim3 grid, block;
    size_t dynamic_shared;
    void (*call)(const void *function, const void *arguments);
    const void *arguments;
    size_t argument_bytes;
};

cudaError_t df_emulated_enqueue(const df_emulated_kernel &kernel, cudaStream_t stream);

/* No tuple: code of the library's templates that is compiled along with a kernel would be taken for a part of
 * it. */
template <typename... P> struct df_emulated_arguments {
};

template <typename T, typename... P> struct df_emulated_arguments<T, P...> {
    T first;
    df_emulated_arguments<P...> others;
};

template <typename F, typename... Before>
inline void df_emulated_call(F function, const df_emulated_arguments<> &, Before... before)
{
    function(before...);
}

template <typename F, typename T, typename... P, typename... Before>
inline void df_emulated_call(F function, const df_emulated_arguments<T, P...> &arguments, Before... before)
{
    df_emulated_call(function, arguments.others, before..., arguments.first);
}

inline df_emulated_arguments<> df_emulated_pack(df_emulated_arguments<> *)
{
    return {};
}

template <typename T, typename... P, typename A, typename... B>
inline df_emulated_arguments<T, P...> df_emulated_pack(df_emulated_arguments<T, P...> *, A argument,
                                                       B... others)
{
    return {static_cast<T>(argument), df_emulated_pack((df_emulated_arguments<P...> *)nullptr, others...)};
}

template <typename... P, typename... A>
inline cudaError_t df_emulated_launch(const char *name, void (*function)(P...), dim3 grid, dim3 block,
                                      size_t dynamic_shared, cudaStream_t stream, A... arguments)
{
    typedef df_emulated_arguments<std::remove_const_t<P>...> values;
    static_assert(sizeof...(P) == sizeof...(A), "a kernel takes as many arguments as it is given");
    static_assert((std::is_convertible_v<A, P> && ...), "the arguments fit the kernel's parameters");
    static_assert((std::is_trivially_copyable_v<P> && ...), "a kernel's parameters are copied byte by byte");
    static_assert(sizeof(values) <= 4096, "a kernel's parameters fit into 4096 bytes");

    const values packed = df_emulated_pack((values *)nullptr, arguments...);
    return df_emulated_enqueue({name, reinterpret_cast<const void *>(function), grid, block, dynamic_shared,
                                [](const void *f, const void *p) {
                                    df_emulated_call(reinterpret_cast<void (*)(P...)>(const_cast<void *>(f)),
                                                     *static_cast<const values *>(p));
                                },
                                &packed, sizeof packed},
                               stream);
}

#endif
