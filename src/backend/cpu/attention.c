#include "cpu_backend.h"

#include "attention.h"
#include "cpu_context.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <omp.h>

/* Attention is worked through in blocks of queries whose scores stay in a core's cache; the [N, N] matrix of
 * a head never exists. Every thread takes whole blocks (forward) or whole heads (backward, where the blocks
 * of a head add to the same dk and dv, always in the same order), and a library call inside a parallel region
 * runs on that thread alone: the bits of the result do not depend on the number of threads. */

/* Queries of a block: 128 x 1226 scores are 630 KB. Forward and backward GFLOP/s on 2 cores (AVX-512, 1 MB of
 * L2 each; sgemm alone 206) at 1226 tokens: 32 queries 111, 106; 64: 143, 152; 96: 149, 160; 128: 155, 167;
 * 192: 155, 168. */
#define QUERY_BLOCK 128

struct attention attention_of(struct df_attention_shape shape)
{
    const int64_t dim = shape.heads * shape.head_size;

    assert(shape.batch > 0 && shape.tokens > 0 && shape.heads > 0 && shape.head_size > 0);
    return (struct attention){
        .tokens = shape.tokens,
        .heads = shape.heads,
        .head_size = shape.head_size,
        .dim = dim,
        .row = 3 * dim,
        .scale = 1.0f / sqrtf((float)shape.head_size),
    };
}

void *attention_scratch(struct df_backend *backend, const struct attention *a, size_t bytes_per_thread)
{
    size_t bytes;

    if (!df_size_mul((size_t)backend->threads, bytes_per_thread, &bytes)) {
        df_error_set("attention over %lld tokens: too large", (long long)a->tokens);
        return NULL;
    }
    return df_cpu_scratch(backend, bytes);
}

/* Floats from one row of scores to the next: rows start on cache lines. */
static int64_t score_ld(const struct attention *a)
{
    return (a->tokens + 15) / 16 * 16;
}

static int status_of(int failures)
{
    return failures ? df_error_set("oneDNN: sgemm failed in attention (out of memory?)") : 0;
}

/* Scores to exponentials less the row's largest; the sum's inverse and the log of the sum of each row. */
DF_MULTIVERSION
static void exponentiate_rows(float *scores, int64_t rows, int64_t cols, int64_t ld, float *inverse,
                              float *lse)
{
    for (int64_t i = 0; i < rows; i++) {
        float *row = scores + i * ld;
        const float largest = largest_of(row, cols);

#pragma omp simd
        for (int64_t j = 0; j < cols; j++)
            row[j] = df_expf_fast(row[j] - largest);
        const float sum = sum_of(row, cols);
        inverse[i] = 1.0f / sum;
        if (lse)
            lse[i] = largest + logf(sum);
    }
}

static void scale_rows(float *x, int64_t rows, int64_t cols, int64_t ld, const float *factor)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++)
            x[i * ld + j] *= factor[i];
    }
}

/* The block of queries from `first` on. Returns 0 or the library's failure. */
static int forward_block(const struct attention *a, const float *q, const float *k, const float *v,
                         int64_t first, float *out, float *lse, float *scores)
{
    const int64_t rows = df_min_i64(QUERY_BLOCK, a->tokens - first);
    float inverse[QUERY_BLOCK];

    out += first * a->dim;
    int failures = dnnl_sgemm('N', 'T', rows, a->tokens, a->head_size, a->scale, q + first * a->row, a->row,
                              k, a->row, 0.0f, scores, score_ld(a)) != dnnl_success;
    exponentiate_rows(scores, rows, a->tokens, score_ld(a), inverse, lse ? lse + first : NULL);
    failures |= dnnl_sgemm('N', 'N', rows, a->head_size, a->tokens, 1.0f, scores, score_ld(a), v, a->row,
                           0.0f, out, a->dim) != dnnl_success;
    scale_rows(out, rows, a->head_size, a->dim, inverse);
    return failures;
}

static int forward_f32(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                       void *out, float *lse)
{
    const struct attention a = attention_of(shape);
    const int64_t blocks = (a.tokens + QUERY_BLOCK - 1) / QUERY_BLOCK;
    const int64_t tasks = shape.batch * a.heads * blocks;
    float *scratch = attention_scratch(backend, &a, (size_t)(QUERY_BLOCK * score_ld(&a)) * sizeof(float));
    int failures = 0;

    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads) reduction(| : failures)
    for (int64_t task = 0; task < tasks; task++) {
        const int64_t pair = task / blocks, image = pair / a.heads, head = pair % a.heads;
        const float *q = (const float *)qkv + head_offset(&a, image, head);
        float *scores = scratch + omp_get_thread_num() * QUERY_BLOCK * score_ld(&a);

        failures |= forward_block(&a, q, q + a.dim, q + 2 * a.dim, task % blocks * QUERY_BLOCK,
                                  (float *)out + image * a.tokens * a.dim + head * a.head_size,
                                  lse ? lse + pair * a.tokens : NULL, scores);
    }
    return status_of(failures);
}

static float dot(const float *a, const float *b, int64_t n)
{
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* scores: scaled scores to probabilities; gradients: from the probabilities' to the unscaled scores'. delta
 * is what the gradient of a row's softmax takes off: sum_j dp_j p_j = dout . out. */
DF_MULTIVERSION
static void softmax_backward_rows(float *scores, float *gradients, int64_t rows, int64_t cols, int64_t ld,
                                  const float *lse, const float *delta, float scale)
{
    for (int64_t i = 0; i < rows; i++) {
        float *p = scores + i * ld, *g = gradients + i * ld;
#pragma omp simd
        for (int64_t j = 0; j < cols; j++) {
            p[j] = df_expf_fast(p[j] - lse[i]);
            g[j] = p[j] * (g[j] - delta[i]) * scale;
        }
    }
}

/* What the backward pass of one head reads and writes, each at its first row. */
struct head_gradient {
    const float *q, *k, *v, *out, *dout, *lse;
    float *dq, *dk, *dv; /* dk NULL: not wanted */
};

static int backward_block(const struct attention *a, const struct head_gradient *h, int64_t first,
                          float *scores, float *gradients)
{
    const int64_t rows = df_min_i64(QUERY_BLOCK, a->tokens - first), n = a->tokens, size = a->head_size;
    const float *q = h->q + first * a->row, *dout = h->dout + first * a->dim, *out = h->out + first * a->dim;
    const float add = first == 0 ? 0.0f : 1.0f; /* to what the blocks before left in dk and dv */
    float delta[QUERY_BLOCK];
    int failures = 0;

    for (int64_t i = 0; i < rows; i++)
        delta[i] = dot(dout + i * a->dim, out + i * a->dim, size);
    failures |=
        dnnl_sgemm('N', 'T', rows, n, size, a->scale, q, a->row, h->k, a->row, 0.0f, scores, score_ld(a));
    failures |=
        dnnl_sgemm('N', 'T', rows, n, size, 1.0f, dout, a->dim, h->v, a->row, 0.0f, gradients, score_ld(a));
    softmax_backward_rows(scores, gradients, rows, n, score_ld(a), h->lse + first, delta, a->scale);
    failures |=
        dnnl_sgemm('T', 'N', n, size, rows, 1.0f, scores, score_ld(a), dout, a->dim, add, h->dv, a->row);
    failures |= dnnl_sgemm('N', 'N', rows, size, n, 1.0f, gradients, score_ld(a), h->k, a->row, 0.0f,
                           h->dq + first * a->row, a->row);
    if (h->dk)
        failures |=
            dnnl_sgemm('T', 'N', n, size, rows, 1.0f, gradients, score_ld(a), q, a->row, add, h->dk, a->row);
    return failures;
}

static int backward_f32(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                        const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk)
{
    const struct attention a = attention_of(shape);
    const int64_t pairs = shape.batch * a.heads, block = QUERY_BLOCK * score_ld(&a);
    float *scratch = attention_scratch(backend, &a, 2 * (size_t)block * sizeof(float));
    int failures = 0;

    assert(lse);
    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads) reduction(| : failures)
    for (int64_t pair = 0; pair < pairs; pair++) {
        const int64_t image = pair / a.heads, head = pair % a.heads;
        const int64_t out_offset = image * a.tokens * a.dim + head * a.head_size;
        const float *q = (const float *)qkv + head_offset(&a, image, head);
        float *dq = (float *)dqkv + head_offset(&a, image, head);
        const struct head_gradient gradient = {
            .q = q,
            .k = q + a.dim,
            .v = q + 2 * a.dim,
            .out = (const float *)out + out_offset,
            .dout = (const float *)dout + out_offset,
            .lse = lse + pair * a.tokens,
            .dq = dq,
            .dk = need_dk ? dq + a.dim : NULL,
            .dv = dq + 2 * a.dim,
        };
        float *scores = scratch + omp_get_thread_num() * 2 * block;

        for (int64_t first = 0; first < a.tokens; first += QUERY_BLOCK)
            failures |= backward_block(&a, &gradient, first, scores, scores + block);
    }
    return status_of(failures);
}

int df_cpu_attention_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                             void *out, float *lse)
{
    return backend->compute == DF_BF16 ? attention_forward_bf16(backend, shape, qkv, out, lse)
                                       : forward_f32(backend, shape, qkv, out, lse);
}

int df_cpu_attention_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                              const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk)
{
    return backend->compute == DF_BF16
               ? attention_backward_bf16(backend, shape, qkv, out, lse, dout, dqkv, need_dk)
               : backward_f32(backend, shape, qkv, out, lse, dout, dqkv, need_dk);
}
