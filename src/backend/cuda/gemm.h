/* Matrix products with frozen weights through cuBLASLt. Private to src/backend/cuda.
 *
 * The library's matrices are column-major: it computes the transpose of our c as op(b)^T a^T. So its a is our
 * b, its b our a, its m the columns of c and its n the rows. Keys and plans are in its terms. */
#ifndef DINOFT_CUDA_GEMM_H
#define DINOFT_CUDA_GEMM_H

#include "../gemm.h"
#include "autotune_cache.h"
#include "cuda_context.h"

/* Products with equal keys share a plan. */
struct df_gemm_key {
    int64_t m, n, k;
    int64_t lda, ldb, ldc;
    int64_t transpose_a;
    int64_t in_type, out_type; /* enum df_dtype: of a and b, and of c */
    int64_t bias, accumulate;
    int64_t a_alignment, b_alignment, c_alignment; /* bytes, 16 at most */
};

#define DF_GEMM_KEY_LENGTH (sizeof(struct df_gemm_key) / sizeof(int64_t))

#define DF_GEMM_CACHE_SIZE 256
#define DF_GEMM_CANDIDATES DF_AUTOTUNE_ALGORITHMS_MAX

struct df_gemm_plan {
    struct df_gemm_key key;
    cublasLtMatmulDesc_t operation;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
    uint64_t last_use;
};

struct df_gemm_cache {
    struct df_gemm_plan plans[DF_GEMM_CACHE_SIZE];
    int n_plans;
    uint64_t clock;
    struct df_autotune_cache autotune;
};

/* NULL with the error set. */
struct df_gemm_cache *df_gemm_cache_open(struct df_cuda_context *context);
void df_gemm_cache_close(struct df_cuda_context *context);

/* Enqueues the product: a and b of one type, a not transposed, bias of c's type. */
int df_gemm_run(struct df_cuda_context *context, const struct df_gemm *gemm);

/* --- gemm_plan.c --- */

/* Makes the library's descriptors for the plan's key. -1 with the error set; the plan can be freed then too.
 */
int df_gemm_describe(struct df_cuda_context *context, struct df_gemm_plan *plan, const struct df_gemm *gemm);
void df_gemm_plan_free(struct df_cuda_context *context, struct df_gemm_plan *plan);

/* Needed before each run: plans are shared by layers of equal shape. */
int df_gemm_set_bias(struct df_cuda_context *context, struct df_gemm_plan *plan, const void *bias);

/* Runs one algorithm, into c: not gemm->c.data where that must not change. */
cublasStatus_t df_gemm_multiply(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                                const cublasLtMatmulAlgo_t *algorithm, const struct df_gemm *gemm, void *c);

/* --- gemm_autotune.c --- */

/* The index of the candidate to use: the cached one, or else the fastest. -1 with the error set where the
 * device failed. */
int df_gemm_autotune(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                     const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                     int n_candidates);

#endif
