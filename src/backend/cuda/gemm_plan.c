/* One product as cuBLASLt's descriptors. */
#include "gemm.h"

#include "dinoft/error.h"

#include <string.h>

static int set_operation(struct df_cuda_context *context, struct df_gemm_plan *plan,
                         cublasLtMatmulDescAttributes_t attribute, const void *value, size_t bytes)
{
    return DF_CUBLAS(context->lt.cublasLtMatmulDescSetAttribute(plan->operation, attribute, value, bytes));
}

int df_gemm_set_bias(struct df_cuda_context *context, struct df_gemm_plan *plan, const void *bias)
{
    return set_operation(context, plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
}

int df_gemm_describe(struct df_cuda_context *context, struct df_gemm_plan *plan, const struct df_gemm *gemm)
{
    const struct df_cublaslt *lt = &context->lt;
    const struct df_gemm_key *key = &plan->key;
    const cudaDataType_t in = df_cuda_type((enum df_dtype)key->in_type);
    const cudaDataType_t out = df_cuda_type((enum df_dtype)key->out_type);
    const cublasOperation_t transpose = CUBLAS_OP_T;
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const uint64_t m = (uint64_t)key->m, n = (uint64_t)key->n, k = (uint64_t)key->k;

    /* Not ..._FAST_TF32: float32 is what the name says. */
    DF_TRY(DF_CUBLAS(lt->cublasLtMatmulDescCreate(&plan->operation, CUBLAS_COMPUTE_32F, CUDA_R_32F)));
    if (key->transpose_a)
        DF_TRY(set_operation(context, plan, CUBLASLT_MATMUL_DESC_TRANSA, &transpose, sizeof transpose));
    if (key->bias) {
        DF_TRY(set_operation(context, plan, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
        DF_TRY(set_operation(context, plan, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &out, sizeof out));
        DF_TRY(df_gemm_set_bias(context, plan, gemm->bias));
    }
    DF_TRY(DF_CUBLAS(lt->cublasLtMatrixLayoutCreate(&plan->a, in, key->transpose_a ? k : m,
                                                    key->transpose_a ? m : k, key->lda)));
    DF_TRY(DF_CUBLAS(lt->cublasLtMatrixLayoutCreate(&plan->b, in, k, n, key->ldb)));
    DF_TRY(DF_CUBLAS(lt->cublasLtMatrixLayoutCreate(&plan->c, out, m, n, key->ldc)));
    return 0;
}

void df_gemm_plan_free(struct df_cuda_context *context, struct df_gemm_plan *plan)
{
    const struct df_cublaslt *lt = &context->lt;

    if (plan->operation)
        (void)lt->cublasLtMatmulDescDestroy(plan->operation);
    if (plan->a)
        (void)lt->cublasLtMatrixLayoutDestroy(plan->a);
    if (plan->b)
        (void)lt->cublasLtMatrixLayoutDestroy(plan->b);
    if (plan->c)
        (void)lt->cublasLtMatrixLayoutDestroy(plan->c);
    memset(plan, 0, sizeof *plan);
}

cublasStatus_t df_gemm_multiply(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                                const cublasLtMatmulAlgo_t *algorithm, const struct df_gemm *gemm, void *c)
{
    const float alpha = 1.0f, beta = gemm->residual ? 1.0f : 0.0f;

    return context->lt.cublasLtMatmul(context->blas, plan->operation, &alpha, gemm->b.data, plan->a,
                                      gemm->a.data, plan->b, &beta, gemm->residual ? gemm->residual : c,
                                      plan->c, c, plan->c, algorithm, context->workspace,
                                      DF_CUDA_WORKSPACE_BYTES, context->stream);
}
