/* Which of cuBLASLt's algorithms a product takes. The candidates are timed once for each kind of product, on
 * the matrices of its first call (autotune_cache.h). */
#include "gemm.h"

#include "dinoft/error.h"

#include <string.h>

/* What candidates are tried on. */
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

/* The products of the timing go where they will go anyway; where that is what is added, to memory that is
 * given back. Without that memory the first candidate it is. */
static int find_fastest(struct trial *trial, int n_candidates)
{
    const struct df_gemm_key *key = &trial->gemm->key;
    void *room = NULL;

    if (trial->gemm->residual == trial->gemm->c &&
        cudaMalloc(&room, (size_t)key->n * (size_t)key->ldc * df_dtype_size((enum df_dtype)key->out_type)) !=
            cudaSuccess) {
        (void)cudaGetLastError();
        return 0;
    }
    trial->c = room ? room : trial->gemm->c;
    const int choice = df_autotune_fastest(trial->context, n_candidates, run_candidate, trial);
    df_cuda_give_back(room);
    return choice;
}

int df_gemm_autotune(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                     const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                     int n_candidates)
{
    struct df_autotune_cache *cache = &context->gemms->autotune;
    struct trial trial = {context, plan, gemm, candidates, NULL};
    int64_t key[DF_GEMM_KEY_NUMBERS];
    int known;

    if (!cache->enabled || n_candidates == 1)
        return 0;
    memcpy(key, &gemm->key, sizeof key);
    DF_TRY(df_autotune_find(cache, key, &known));
    if (known >= 0 && known < n_candidates)
        return known;
    if (context->capturing)
        return df_error_set("a captured product is not known");
    const int choice = find_fastest(&trial, n_candidates);
    if (choice < 0)
        return -1;
    DF_TRY(df_autotune_store(cache, key, choice));
    return choice;
}
