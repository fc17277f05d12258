/* Attention in bfloat16: products by df_gemm_bf16 with float32 sums, softmax in float32. As in attention.c,
 * blocks of queries are worked through whose scores stay in a core's cache, and the bits of the result do not
 * depend on the number of threads.
 *
 * The gradients of k and v are summed transposed, [head size, tokens]: dv^T += dout^T P needs P packed by
 * pairs of rows, which the softmax can write directly, where dv += P^T dout would need P transposed. */
#include "attention.h"

#include "bf16.h"
#include "cpu_context.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#define FORWARD_BLOCK  48 /* queries; a multiple of the six rows that a product works on together */
#define BACKWARD_BLOCK 64 /* even: it is the inner dimension of dk and dv */

/* Cuts a thread's scratch buffer into arrays. */
struct cutter {
    char *next;
};

static void *cut(struct cutter *cutter, int64_t count, size_t size)
{
    void *array = cutter->next;
    cutter->next += df_cpu_aligned((size_t)count * size);
    return array;
}

/* destination [rows, cols] bf16 = source [rows, cols] * factor[row] (NULL: 1). */
DF_MULTIVERSION
static void store_rows(const float *source, int64_t rows, int64_t cols, int64_t source_ld,
                       const float *factor, uint16_t *destination, int64_t destination_ld)
{
    for (int64_t i = 0; i < rows; i++) {
        const float f = factor ? factor[i] : 1.0f;
        for (int64_t j = 0; j < cols; j++)
            destination[i * destination_ld + j] = df_bf16_narrow(source[i * source_ld + j] * f);
    }
}

/* destination [rows, cols] bf16 = the transpose of source [cols, rows] float32. */
static void store_transposed(const float *source, int64_t rows, int64_t cols, int64_t source_ld,
                             uint16_t *destination, int64_t destination_ld)
{
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < cols; j++)
            destination[i * destination_ld + j] = df_bf16_narrow(source[j * source_ld + i]);
    }
}

/* destination [cols, df_padded_rows(rows)] = the transpose of source [rows, cols], zeros behind it. */
static void transpose(const uint16_t *source, int64_t rows, int64_t cols, int64_t source_ld,
                      uint16_t *destination, int64_t destination_ld)
{
    for (int64_t j = 0; j < cols; j++) {
        for (int64_t i = 0; i < rows; i++)
            destination[j * destination_ld + i] = source[i * source_ld + j];
        for (int64_t i = rows; i < df_padded_rows(rows); i++)
            destination[j * destination_ld + i] = 0;
    }
}

static struct attention attention_of_bf16(struct df_backend *backend, struct df_attention_shape shape)
{
    struct attention a = attention_of(shape);

    assert(a.head_size % DF_K_STEP == 0); /* q and dout are read as they lie, without zeros behind them */
    const enum df_bf16_isa isa = df_cpu_context(backend)->bf16_isa;
    a.gemm = df_gemm_bf16_functions[isa];
    a.softmax = isa >= DF_BF16_AVX512 ? df_softmax_bf16_avx512 : df_softmax_bf16;
    a.softmax_backward = isa >= DF_BF16_AVX512 ? df_softmax_backward_bf16_avx512 : df_softmax_backward_bf16;
    return a;
}

/* --- forward --- */

struct forward_scratch {
    uint16_t *keys;          /* k^T packed [head size, N] */
    uint16_t *values;        /* v packed [N, head size] */
    float *scores;           /* [FORWARD_BLOCK, columns] */
    uint16_t *probabilities; /* [FORWARD_BLOCK, columns] */
    float *out;              /* [FORWARD_BLOCK, panel columns of the head size] */
};

static size_t cut_forward(const struct attention *a, char *base, struct forward_scratch *s)
{
    const int64_t columns = df_panel_columns(a->tokens);
    struct cutter cutter = {base};

    s->keys = cut(&cutter, df_packed_count(a->head_size, a->tokens), sizeof *s->keys);
    s->values = cut(&cutter, df_packed_count(a->tokens, a->head_size), sizeof *s->values);
    s->scores = cut(&cutter, FORWARD_BLOCK * columns, sizeof *s->scores);
    s->probabilities = cut(&cutter, FORWARD_BLOCK * columns, sizeof *s->probabilities);
    s->out = cut(&cutter, FORWARD_BLOCK * df_panel_columns(a->head_size), sizeof *s->out);
    return (size_t)(cutter.next - base);
}

/* Scores to probabilities that are not normalised yet; the inverse of each row's sum, and its log-sum-exp. */
static void exponentiate(const struct attention *a, const struct forward_scratch *s, int64_t rows,
                         float *inverse, float *lse)
{
    const int64_t columns = df_panel_columns(a->tokens);

    for (int64_t i = 0; i < rows; i++) {
        const struct df_softmax_row row =
            a->softmax(s->scores + i * columns, a->tokens, a->scale, s->probabilities + i * columns);
        inverse[i] = 1.0f / row.sum;
        if (lse)
            lse[i] = a->scale * row.largest + logf(row.sum);
    }
}

static void forward_block(const struct attention *a, const struct forward_scratch *s, const uint16_t *q,
                          int64_t first, uint16_t *out, float *lse)
{
    const int64_t rows = df_min_i64(FORWARD_BLOCK, a->tokens - first), columns = df_panel_columns(a->tokens);
    const int64_t out_ld = df_panel_columns(a->head_size);
    float inverse[FORWARD_BLOCK];

    a->gemm(&(struct df_gemm_bf16){.m = rows,
                                   .n = a->tokens,
                                   .k = a->head_size,
                                   .a = q + first * a->row,
                                   .lda = a->row,
                                   .packed = s->keys,
                                   .c = s->scores,
                                   .ldc = columns});
    exponentiate(a, s, rows, inverse, lse ? lse + first : NULL);
    a->gemm(&(struct df_gemm_bf16){.m = rows,
                                   .n = a->head_size,
                                   .k = a->tokens,
                                   .a = s->probabilities,
                                   .lda = columns,
                                   .packed = s->values,
                                   .c = s->out,
                                   .ldc = out_ld});
    store_rows(s->out, rows, a->head_size, out_ld, inverse, out + first * a->dim, a->dim);
}

int attention_forward_bf16(struct df_backend *backend, struct df_attention_shape shape, const uint16_t *qkv,
                           uint16_t *out, float *lse)
{
    const struct attention a = attention_of_bf16(backend, shape);
    const int64_t blocks = (a.tokens + FORWARD_BLOCK - 1) / FORWARD_BLOCK, pairs = shape.batch * a.heads;
    /* Where there are fewer heads than threads a head is shared, at the price of packing it more than once.
     */
    const int64_t shares = df_min_i64(blocks, (2 * backend->threads + pairs - 1) / pairs);
    struct forward_scratch sizes;
    const size_t bytes = cut_forward(&a, NULL, &sizes);
    char *scratch = attention_scratch(backend, &a, bytes);

    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads)
    for (int64_t task = 0; task < pairs * shares; task++) {
        const int64_t pair = task / shares, image = pair / a.heads, head = pair % a.heads;
        const uint16_t *q = qkv + head_offset(&a, image, head);
        uint16_t *head_out = out + image * a.tokens * a.dim + head * a.head_size;
        struct forward_scratch s;

        cut_forward(&a, scratch + (size_t)omp_get_thread_num() * bytes, &s);
        df_pack_bf16_transposed(q + a.dim, a.head_size, a.tokens, a.row, s.keys);
        df_pack_bf16(q + 2 * a.dim, a.tokens, a.head_size, a.row, s.values);
        for (int64_t block = task % shares; block < blocks; block += shares)
            forward_block(&a, &s, q, block * FORWARD_BLOCK, head_out, lse ? lse + pair * a.tokens : NULL);
    }
    return 0;
}

/* --- backward --- */

struct backward_scratch {
    uint16_t *keys, *values; /* k^T, v^T packed [head size, N] */
    uint16_t *key_rows;      /* k packed [N, head size] */
    float *scores;           /* [BACKWARD_BLOCK, columns] */
    float *gradients;        /* [BACKWARD_BLOCK, columns] of the probabilities */
    uint16_t *score_rows;    /* [BACKWARD_BLOCK, columns] gradients of the scores, as the left side of dq */
    uint32_t *score_pairs;   /* the same packed [BACKWARD_BLOCK, N], as the right side of dk^T */
    uint32_t *probabilities; /* packed [BACKWARD_BLOCK, N], the right side of dv^T */
    uint16_t *left;          /* [head size, BACKWARD_BLOCK]: dout^T or q^T of the block */
    float *dq;               /* [BACKWARD_BLOCK, panel columns of the head size] */
    float *dk, *dv;          /* [head size, columns], transposed sums over all blocks */
};

static size_t cut_backward(const struct attention *a, char *base, struct backward_scratch *s)
{
    const int64_t columns = df_panel_columns(a->tokens), block = BACKWARD_BLOCK * columns;
    struct cutter cutter = {base};

    s->keys = cut(&cutter, df_packed_count(a->head_size, a->tokens), sizeof *s->keys);
    s->values = cut(&cutter, df_packed_count(a->head_size, a->tokens), sizeof *s->values);
    s->key_rows = cut(&cutter, df_packed_count(a->tokens, a->head_size), sizeof *s->key_rows);
    s->scores = cut(&cutter, block, sizeof *s->scores);
    s->gradients = cut(&cutter, block, sizeof *s->gradients);
    s->score_rows = cut(&cutter, block, sizeof *s->score_rows);
    s->score_pairs = cut(&cutter, block / 2, sizeof *s->score_pairs);
    s->probabilities = cut(&cutter, block / 2, sizeof *s->probabilities);
    s->left = cut(&cutter, a->head_size * BACKWARD_BLOCK, sizeof *s->left);
    s->dq = cut(&cutter, BACKWARD_BLOCK * df_panel_columns(a->head_size), sizeof *s->dq);
    s->dk = cut(&cutter, a->head_size * columns, sizeof *s->dk);
    s->dv = cut(&cutter, a->head_size * columns, sizeof *s->dv);
    return (size_t)(cutter.next - base);
}

/* delta[i] = dout[i] . out[i], what the gradient of the softmax takes off each row. */
DF_MULTIVERSION
static void row_products(const uint16_t *dout, const uint16_t *out, int64_t rows, int64_t cols, int64_t ld,
                         float *delta)
{
    for (int64_t i = 0; i < rows; i++) {
        float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
        for (int64_t j = 0; j < cols; j++)
            sum += df_bf16_widen(dout[i * ld + j]) * df_bf16_widen(out[i * ld + j]);
        delta[i] = sum;
    }
}

/* Scores and the probabilities' gradients [rows, tokens] to what the three products of the backward pass
 * read.
 */
static void softmax_backward(const struct attention *a, const struct backward_scratch *s, int64_t rows,
                             const float *lse, const float *delta)
{
    const int64_t columns = df_panel_columns(a->tokens);
    const int64_t pairs = df_padded_rows(rows) / 2, used = (rows + 1) / 2, panel = pairs * DF_PANEL;

    for (int64_t column = 0; column < columns; column += DF_PANEL) {
        const int64_t rest = column * pairs + used * DF_PANEL;
        const size_t bytes = (size_t)((pairs - used) * DF_PANEL) * sizeof *s->probabilities;
        memset(s->probabilities + rest, 0, bytes);
        memset(s->score_pairs + rest, 0, bytes);
    }
    for (int64_t i = 0; i < rows; i += 2) {
        const int64_t other = i + 1 < rows ? i + 1 : i;
        a->softmax_backward(&(struct df_softmax_pair){
            .scores = {s->scores + i * columns, s->scores + other * columns},
            .gradients = {s->gradients + i * columns, s->gradients + other * columns},
            .log_sum = {lse[i], lse[other]},
            .delta = {delta[i], delta[other]},
            .absent = other == i,
            .scale = a->scale,
            .count = a->tokens,
            .panel = panel,
            .probabilities = s->probabilities + i / 2 * DF_PANEL,
            .score_pairs = s->score_pairs + i / 2 * DF_PANEL,
            .score_rows = {s->score_rows + i * columns, s->score_rows + (i + 1) * columns},
        });
    }
}

/* What the backward pass of one head reads and writes, each at its first row. */
struct head_gradient {
    const uint16_t *q, *k, *v, *out, *dout;
    const float *lse;
    uint16_t *dq, *dk, *dv; /* dk NULL: not wanted */
};

/* sum [head size, columns] (+)= (rows of `left`)^T packed. */
static void add_transposed(const struct attention *a, const struct backward_scratch *s, const uint16_t *left,
                           int64_t left_ld, int64_t rows, const uint32_t *packed, bool accumulate, float *sum)
{
    transpose(left, rows, a->head_size, left_ld, s->left, BACKWARD_BLOCK);
    a->gemm(&(struct df_gemm_bf16){.m = a->head_size,
                                   .n = a->tokens,
                                   .k = rows,
                                   .a = s->left,
                                   .lda = BACKWARD_BLOCK,
                                   .packed = (const uint16_t *)packed,
                                   .c = sum,
                                   .ldc = df_panel_columns(a->tokens),
                                   .accumulate = accumulate});
}

static void backward_block(const struct attention *a, const struct backward_scratch *s,
                           const struct head_gradient *h, int64_t first)
{
    const int64_t rows = df_min_i64(BACKWARD_BLOCK, a->tokens - first), columns = df_panel_columns(a->tokens);
    const int64_t size_columns = df_panel_columns(a->head_size);
    const uint16_t *q = h->q + first * a->row, *dout = h->dout + first * a->dim;
    float delta[BACKWARD_BLOCK];
    struct df_gemm_bf16 product = {.m = rows,
                                   .n = a->tokens,
                                   .k = a->head_size,
                                   .a = q,
                                   .lda = a->row,
                                   .packed = s->keys,
                                   .c = s->scores,
                                   .ldc = columns};

    a->gemm(&product);
    product.a = dout;
    product.lda = a->dim;
    product.packed = s->values;
    product.c = s->gradients;
    a->gemm(&product);
    row_products(dout, h->out + first * a->dim, rows, a->head_size, a->dim, delta);
    softmax_backward(a, s, rows, h->lse + first, delta);
    a->gemm(&(struct df_gemm_bf16){.m = rows,
                                   .n = a->head_size,
                                   .k = a->tokens,
                                   .a = s->score_rows,
                                   .lda = columns,
                                   .packed = s->key_rows,
                                   .c = s->dq,
                                   .ldc = size_columns});
    store_rows(s->dq, rows, a->head_size, size_columns, NULL, h->dq + first * a->row, a->row);
    add_transposed(a, s, dout, a->dim, rows, s->probabilities, first > 0, s->dv);
    if (h->dk)
        add_transposed(a, s, q, a->row, rows, s->score_pairs, first > 0, s->dk);
}

static void backward_head(const struct attention *a, const struct backward_scratch *s,
                          const struct head_gradient *h)
{
    const int64_t columns = df_panel_columns(a->tokens);

    df_pack_bf16_transposed(h->k, a->head_size, a->tokens, a->row, s->keys);
    df_pack_bf16_transposed(h->v, a->head_size, a->tokens, a->row, s->values);
    df_pack_bf16(h->k, a->tokens, a->head_size, a->row, s->key_rows);
    for (int64_t first = 0; first < a->tokens; first += BACKWARD_BLOCK)
        backward_block(a, s, h, first);
    store_transposed(s->dv, a->tokens, a->head_size, columns, h->dv, a->row);
    if (h->dk)
        store_transposed(s->dk, a->tokens, a->head_size, columns, h->dk, a->row);
}

int attention_backward_bf16(struct df_backend *backend, struct df_attention_shape shape, const uint16_t *qkv,
                            const uint16_t *out, const float *lse, const uint16_t *dout, uint16_t *dqkv,
                            bool need_dk)
{
    const struct attention a = attention_of_bf16(backend, shape);
    struct backward_scratch sizes;
    const size_t bytes = cut_backward(&a, NULL, &sizes);
    char *scratch = attention_scratch(backend, &a, bytes);

    assert(lse);
    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads)
    for (int64_t pair = 0; pair < shape.batch * a.heads; pair++) {
        const int64_t image = pair / a.heads, head = pair % a.heads;
        const int64_t out_offset = image * a.tokens * a.dim + head * a.head_size;
        const uint16_t *q = qkv + head_offset(&a, image, head);
        uint16_t *dq = dqkv + head_offset(&a, image, head);
        struct backward_scratch s;

        cut_backward(&a, scratch + (size_t)omp_get_thread_num() * bytes, &s);
        backward_head(&a, &s,
                      &(struct head_gradient){.q = q,
                                              .k = q + a.dim,
                                              .v = q + 2 * a.dim,
                                              .out = out + out_offset,
                                              .dout = dout + out_offset,
                                              .lse = lse + pair * a.tokens,
                                              .dq = dq,
                                              .dk = need_dk ? dq + a.dim : NULL,
                                              .dv = dq + 2 * a.dim});
    }
    return 0;
}
