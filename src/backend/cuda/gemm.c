#include "gemm.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct df_gemm_cache *df_gemm_cache_open(struct df_cuda_context *context)
{
    struct df_gemm_cache *cache = calloc(1, sizeof *cache);

    if (!cache) {
        df_error_memory("the cuda backend's matrix products", sizeof *cache);
        return NULL;
    }
    df_autotune_open(&cache->autotune, context, "cublaslt", context->lt.cublasLtGetVersion(),
                     DF_GEMM_KEY_LENGTH, DF_GEMM_CANDIDATES);
    return cache;
}

void df_gemm_cache_close(struct df_cuda_context *context)
{
    struct df_gemm_cache *cache = context->gemms;

    if (!cache)
        return;
    for (int i = 0; i < cache->n_plans; i++)
        df_gemm_plan_free(context, &cache->plans[i]);
    df_autotune_close(&cache->autotune);
    free(cache);
    context->gemms = NULL;
}

/* Of the address (NULL: any) and of the rows, in bytes. Vectors of 16 bytes are the widest that the library's
 * kernels need. */
static int64_t alignment(const void *data, const struct df_matrix *m)
{
    const uintptr_t bits = (uintptr_t)data | ((uintptr_t)m->ld * df_dtype_size(m->type)) | 16;
    return (int64_t)(bits & (~bits + 1));
}

static struct df_gemm_key make_key(const struct df_gemm *gemm)
{
    const struct df_matrix *a = &gemm->a, *b = &gemm->b, *c = &gemm->c;

    assert(a->type == b->type && !gemm->transpose_a);
    return (struct df_gemm_key){
        .m = c->cols,
        .n = c->rows,
        .k = a->cols,
        .lda = b->ld,
        .ldb = a->ld,
        .ldc = c->ld,
        .transpose_a = gemm->transpose_b,
        .in_type = a->type,
        .out_type = c->type,
        .bias = gemm->bias != NULL,
        .accumulate = gemm->residual != NULL,
        .a_alignment = alignment(b->data, b),
        .b_alignment = alignment(a->data, a),
        .c_alignment = df_min_i64(alignment(c->data, c), alignment(gemm->residual, c)),
    };
}

static int set_preferences(struct df_cuda_context *context, cublasLtMatmulPreference_t preference,
                           const struct df_gemm_key *key)
{
    const size_t workspace = DF_CUDA_WORKSPACE_BYTES;
    const uint32_t a = (uint32_t)key->a_alignment, b = (uint32_t)key->b_alignment;
    const uint32_t c = (uint32_t)key->c_alignment;
    const struct {
        cublasLtMatmulPreferenceAttributes_t attribute;
        const void *value;
        size_t bytes;
    } settings[] = {
        {CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &a, sizeof a},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &b, sizeof b},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &c, sizeof c},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &c, sizeof c},
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        DF_TRY(DF_CUBLAS(context->lt.cublasLtMatmulPreferenceSetAttribute(
            preference, settings[i].attribute, settings[i].value, settings[i].bytes)));
    return 0;
}

/* The library also lists algorithms whose state says that they cannot be used. */
static int keep_usable(cublasLtMatmulHeuristicResult_t *candidates, int n_candidates)
{
    int usable = 0;

    for (int i = 0; i < n_candidates; i++) {
        if (candidates[i].state == CUBLAS_STATUS_SUCCESS)
            candidates[usable++] = candidates[i];
    }
    return usable;
}

/* The library's list of algorithms, the one that it expects to be fastest first. */
static int list_candidates(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                           cublasLtMatmulHeuristicResult_t *candidates, int *n_candidates)
{
    const struct df_cublaslt *lt = &context->lt;
    const struct df_gemm_key *key = &plan->key;
    cublasLtMatmulPreference_t preference = NULL;

    DF_TRY(DF_CUBLAS(lt->cublasLtMatmulPreferenceCreate(&preference)));
    int status = set_preferences(context, preference, key);
    *n_candidates = 0;
    if (status == 0) {
        const cublasStatus_t found = lt->cublasLtMatmulAlgoGetHeuristic(
            context->blas, plan->operation, plan->a, plan->b, plan->c, plan->c, preference,
            DF_GEMM_CANDIDATES, candidates, n_candidates);
        if (found != CUBLAS_STATUS_NOT_SUPPORTED)
            status = df_cublas_check(found, "cublasLtMatmulAlgoGetHeuristic", __FILE__, __LINE__);
    }
    (void)lt->cublasLtMatmulPreferenceDestroy(preference);
    DF_TRY(status);
    *n_candidates = keep_usable(candidates, *n_candidates);
    if (*n_candidates == 0)
        return df_error_set("cuBLASLt has no algorithm for a product [%lld, %lld] x [%lld, %lld] of %s to %s",
                            (long long)key->n, (long long)key->k, (long long)key->k, (long long)key->m,
                            df_dtype_name((enum df_dtype)key->in_type),
                            df_dtype_name((enum df_dtype)key->out_type));
    return 0;
}

static int make_plan(struct df_cuda_context *context, struct df_gemm_plan *plan, const struct df_gemm *gemm)
{
    cublasLtMatmulHeuristicResult_t candidates[DF_GEMM_CANDIDATES];
    int n_candidates;

    DF_TRY(df_gemm_describe(context, plan, gemm));
    DF_TRY(list_candidates(context, plan, candidates, &n_candidates));
    const int fastest = df_gemm_autotune(context, plan, gemm, candidates, n_candidates);
    if (fastest < 0)
        return -1;
    plan->algorithm = candidates[fastest].algo;
    return 0;
}

/* The slot for one more plan: a new one, or the least recently used plan's. */
static struct df_gemm_plan *free_slot(struct df_cuda_context *context)
{
    struct df_gemm_cache *cache = context->gemms;
    struct df_gemm_plan *oldest = &cache->plans[0];

    if (cache->n_plans < DF_GEMM_CACHE_SIZE)
        return &cache->plans[cache->n_plans++];
    for (int i = 1; i < DF_GEMM_CACHE_SIZE; i++) {
        if (cache->plans[i].last_use < oldest->last_use)
            oldest = &cache->plans[i];
    }
    df_gemm_plan_free(context, oldest);
    return oldest;
}

/* NULL with the error set. */
static struct df_gemm_plan *find_plan(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    struct df_gemm_cache *cache = context->gemms;
    struct df_gemm_plan *plan = NULL, made = {.key = make_key(gemm)};

    for (int i = 0; i < cache->n_plans && !plan; i++) {
        if (memcmp(&cache->plans[i].key, &made.key, sizeof made.key) == 0)
            plan = &cache->plans[i];
    }
    if (!plan) {
        if (make_plan(context, &made, gemm) != 0) {
            df_gemm_plan_free(context, &made);
            return NULL;
        }
        plan = free_slot(context);
        *plan = made;
    }
    plan->last_use = ++cache->clock;
    return plan;
}

int df_gemm_run(struct df_cuda_context *context, const struct df_gemm *gemm)
{
    struct df_gemm_plan *plan = find_plan(context, gemm);

    if (!plan)
        return -1;
    if (gemm->bias)
        DF_TRY(df_gemm_set_bias(context, plan, gemm->bias));
    return df_cublas_check(df_gemm_multiply(context, plan, &plan->algorithm, gemm, gemm->c.data),
                           "cublasLtMatmul", __FILE__, __LINE__);
}
