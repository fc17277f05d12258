/* Kernels for the tests of the emulation: sound.cu has some that are right, broken.cu the same and others
 * with a mistake in each. */
#ifndef TESTS_EMULATION_EXAMPLES_H
#define TESTS_EMULATION_EXAMPLES_H

#include "dinoft/dtype.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* sums [rows] = sums of x [rows, columns] of `type`. */
cudaError_t sound_row_sums(cudaStream_t stream, const void *x, enum df_dtype type, float *sums, int rows,
                           int columns);
/* y [columns, rows] = x [rows, columns]. */
cudaError_t sound_transpose(cudaStream_t stream, const float *x, float *y, int rows, int columns);
/* c [m, n] = a [m, k] b [n, k]^T, or a b [k, n]; bfloat16 and float32; m, n, k multiples of 16. */
cudaError_t sound_product(cudaStream_t stream, const void *a, const void *b, bool b_is_k_n, float *c, int m,
                          int n, int k);
/* c [16, 8] += a [16, 16] b [16, 8], every element of a fragment by its position in the PTX manual's tables.
 */
cudaError_t sound_fragments(cudaStream_t stream, const void *a, const void *b, float *c);
/* out [12, 32]: what 32 lanes get from shuffles of 100 + lane, and from votes. */
cudaError_t sound_lanes(cudaStream_t stream, int *out);
/* out [64]: what two warps have after adding up their neighbours' values `rounds` times, the second warp once
 * more. */
cudaError_t sound_pass_on(cudaStream_t stream, int *out, int rounds);
/* counts [classes] += how often each class is in labels [count]. */
cudaError_t sound_histogram(cudaStream_t stream, const uint8_t *labels, int count, unsigned *counts,
                            int classes);
/* numbers [grid z * y * x * block z * y * x]: each thread's number among all of them, plus one. */
cudaError_t sound_thread_numbers(cudaStream_t stream, int *numbers, const unsigned grid[3],
                                 const unsigned block[3]);
/* x [count] += table[i % 4] + y, where y comes from a structure. */
cudaError_t sound_arguments(cudaStream_t stream, float *x, int count, float y);
/* out [threads]: the sum of what thread i's neighbours wrote to `bytes` of dynamic shared memory. */
cudaError_t sound_dynamic(cudaStream_t stream, float *out, int threads, size_t bytes);
cudaError_t sound_dynamic_allow(size_t bytes);
/* 32 rows of 16 bytes that lie `stride` bytes apart in shared memory: cp.async copies them there, ldmatrix
 * reads them, every lane a row as a vector, and writes a word of it. out [32]: sums of what ldmatrix gave. */
cudaError_t sound_rows(cudaStream_t stream, const void *data, unsigned *out, int stride);
/* A kernel that was declared for at most 64 threads. */
cudaError_t sound_bounded(cudaStream_t stream, int *out, int threads);
/* *count = threads of the block whose x is positive. */
cudaError_t sound_count(cudaStream_t stream, const int *x, int *count, int threads);

/* Mistakes. data: device memory of broken_bytes; zeroed. */
enum { broken_bytes = 4096 };

struct broken_kernel {
    const char *name;
    cudaError_t (*run)(cudaStream_t stream, float *data);
    const char *report;                  /* a part of what the emulation says */
    const char *report_in_another_order; /* of the threads, or another build's; NULL: the same */
    enum { SEEN_ALWAYS, SEEN_BY_ACCESSES, SEEN_BY_BOUNDS } seen;
};

extern const struct broken_kernel broken_kernels[];
extern const int broken_kernel_count;

#ifdef __cplusplus
}
#endif

#endif
