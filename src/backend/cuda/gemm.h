/* Matrix products with frozen weights through cuBLASLt. Private to src/backend/cuda.
 *
 * In the library's column-major terms: c [m, n] = op(a) [m, k] b [k, n] + bias [m] + residual [m, n]. A
 * row-major x [rows, in] is a column-major [in, rows], so b and c are x and y as they lie, n their rows, and
 * a is the weight. */
#ifndef DINOFT_CUDA_GEMM_H
#define DINOFT_CUDA_GEMM_H

#include "autotune_cache.h"
#include "cuda_context.h"

/* What a product is told apart by: of two with equal keys one algorithm serves both. */
struct df_gemm_key {
    int64_t m, n, k;
    int64_t lda, ldb, ldc;
    int64_t transpose_a;
    int64_t in_type, out_type; /* enum df_dtype: of a and b, and of c */
    int64_t bias, accumulate;
    int64_t a_alignment, b_alignment, c_alignment; /* bytes, 16 at most */
};

struct df_gemm {
    struct df_gemm_key key;
    const void *a, *b, *bias; /* bias of c's type; NULL where the key says none */
    const void *residual;     /* of c's type and layout, may be c; NULL where the key says none */
    void *c;
};

#define DF_GEMM_KEY_NUMBERS (sizeof(struct df_gemm_key) / sizeof(int64_t))

#define DF_GEMM_CACHE_SIZE 256
#define DF_GEMM_CANDIDATES DF_AUTOTUNE_ALGORITHMS_MAX

/* A product made ready. */
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

/* Enqueues the product. */
int df_gemm_run(struct df_cuda_context *context, const struct df_gemm *gemm);

/* --- gemm_plan.c --- */

/* Fills in what cuBLASLt has to know of the product, all but the algorithm. -1 with the error set; the plan
 * can be freed then too. */
int df_gemm_describe(struct df_cuda_context *context, struct df_gemm_plan *plan, const struct df_gemm *gemm);
void df_gemm_plan_free(struct df_cuda_context *context, struct df_gemm_plan *plan);

/* Which bias it is has to be said before each run: plans are shared by layers of equal shape. */
int df_gemm_set_bias(struct df_cuda_context *context, struct df_gemm_plan *plan, const void *bias);

/* One algorithm's run, into c: which is not gemm->c where it must stay as it is. */
cublasStatus_t df_gemm_multiply(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                                const cublasLtMatmulAlgo_t *algorithm, const struct df_gemm *gemm, void *c);

/* --- gemm_autotune.c --- */

/* Which of the candidates to take: the one that was taken before, or else the fastest. -1 with the error set
 * where the device failed. */
int df_gemm_autotune(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                     const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                     int n_candidates);

#endif
