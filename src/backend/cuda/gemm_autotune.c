/* Which of cuBLASLt's algorithms a product uses. The candidates are timed once for each key, on the matrices
 * of its first call (autotune_cache.h). */
#include "gemm.h"

#include "dinoft/error.h"

#include <string.h>

/* What the candidates run on. */
struct trial {
    struct df_cuda_context *context;
    const struct df_gemm_plan *plan;
    const struct df_gemm *gemm;
    const cublasLtMatmulHeuristicResult_t *candidates;
    void *c;
};

static bool run_candidate(void *user, int candidate)
{
    const struct trial *trial = user;

    return df_gemm_multiply(trial->context, trial->plan, &trial->candidates[candidate].algo, trial->gemm,
                            trial->c) == CUBLAS_STATUS_SUCCESS;
}

/* The candidates write to c, which is overwritten anyway, or to a temporary buffer where c is the residual.
 * Without memory for that the first candidate is used. */
static int find_fastest(struct trial *trial, int n_candidates)
{
    const struct df_matrix *c = &trial->gemm->c;
    void *buffer = NULL;

    if (trial->gemm->residual == c->data &&
        cudaMalloc(&buffer, (size_t)c->rows * (size_t)c->ld * df_dtype_size(c->type)) != cudaSuccess) {
        (void)cudaGetLastError();
        return 0;
    }
    trial->c = buffer ? buffer : c->data;
    const int fastest = df_autotune_fastest(trial->context, n_candidates, run_candidate, trial);
    df_cuda_release(buffer);
    return fastest;
}

int df_gemm_autotune(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                     const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                     int n_candidates)
{
    struct df_autotune_cache *cache = &context->gemms->autotune;
    struct trial trial = {context, plan, gemm, candidates, NULL};
    int64_t key[DF_GEMM_KEY_LENGTH];
    int cached;

    if (!cache->enabled || n_candidates == 1)
        return 0;
    memcpy(key, &plan->key, sizeof key);
    DF_TRY(df_autotune_find(cache, key, &cached));
    if (cached >= 0 && cached < n_candidates)
        return cached;
    if (context->capturing)
        return df_error_set("a captured product has no cached algorithm");
    const int fastest = find_fastest(&trial, n_candidates);
    if (fastest < 0)
        return -1;
    DF_TRY(df_autotune_store(cache, key, fastest));
    return fastest;
}
