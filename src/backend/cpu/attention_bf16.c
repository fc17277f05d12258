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

#define FORWARD_BLOCK 48 /* queries; a multiple of the six rows that a product works on together */

/* Queries and keys of a block of the backward pass, whole panels: its five arrays of scores (320 KB) stay in
 * the second-level cache, and dk and dv, to which every block adds, are read and written once for 128
 * queries. */
#define BACKWARD_BLOCK 128

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
        inverse[i] = 1.0f / row.rounded_sum;
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
    uint16_t *keys, *values;    /* k^T, v^T packed [head size, N] */
    uint16_t *key_rows;         /* k packed [keys of a block, head size], block after block */
    float *scores, *gradients;  /* [queries, keys] of a block, of the probabilities */
    uint16_t *score_rows;       /* [queries, keys] gradients of the scores, as the left side of dq */
    uint32_t *score_pairs;      /* the same packed, as the right side of dk^T */
    uint32_t *probabilities;    /* packed [queries, keys], the right side of dv^T */
    uint16_t *dout_t, *query_t; /* [head size, queries]: dout^T and q^T */
    float *dq;                  /* [queries, panel columns of the head size] */
    float *dk, *dv;             /* [head size, columns], transposed sums over all blocks */
};

static size_t cut_backward(const struct attention *a, char *base, struct backward_scratch *s)
{
    const int64_t columns = df_panel_columns(a->tokens), block = BACKWARD_BLOCK * BACKWARD_BLOCK;
    const int64_t blocks = (a->tokens + BACKWARD_BLOCK - 1) / BACKWARD_BLOCK;
    struct cutter cutter = {base};

    s->keys = cut(&cutter, df_packed_count(a->head_size, a->tokens), sizeof *s->keys);
    s->values = cut(&cutter, df_packed_count(a->head_size, a->tokens), sizeof *s->values);
    s->key_rows = cut(&cutter, blocks * df_packed_count(BACKWARD_BLOCK, a->head_size), sizeof *s->key_rows);
    s->scores = cut(&cutter, block, sizeof *s->scores);
    s->gradients = cut(&cutter, block, sizeof *s->gradients);
    s->score_rows = cut(&cutter, block, sizeof *s->score_rows);
    s->score_pairs = cut(&cutter, block / 2, sizeof *s->score_pairs);
    s->probabilities = cut(&cutter, block / 2, sizeof *s->probabilities);
    s->dout_t = cut(&cutter, a->head_size * BACKWARD_BLOCK, sizeof *s->dout_t);
    s->query_t = cut(&cutter, a->head_size * BACKWARD_BLOCK, sizeof *s->query_t);
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

/* A block of the scores: queries and keys, each from `first` on. */
struct block {
    int64_t first_query, queries, first_key, keys;
};

/* Scores and the probabilities' gradients to what the three products of the backward pass read. */
static void softmax_backward(const struct attention *a, const struct backward_scratch *s, struct block block,
                             const float *lse, const float *delta)
{
    const int64_t pairs = df_padded_rows(block.queries) / 2, used = (block.queries + 1) / 2;
    const size_t rest_bytes = (size_t)((pairs - used) * DF_PANEL) * sizeof *s->probabilities;

    for (int64_t column = 0; column < block.keys; column += DF_PANEL) {
        const int64_t rest = column * pairs + used * DF_PANEL;
        memset(s->probabilities + rest, 0, rest_bytes);
        memset(s->score_pairs + rest, 0, rest_bytes);
    }
    for (int64_t i = 0; i < block.queries; i += 2) {
        const int64_t other = i + 1 < block.queries ? i + 1 : i;
        const int64_t row = i * BACKWARD_BLOCK, other_row = other * BACKWARD_BLOCK;
        a->softmax_backward(&(struct df_softmax_pair){
            .scores = {s->scores + row, s->scores + other_row},
            .gradients = {s->gradients + row, s->gradients + other_row},
            .log_sum = {lse[i], lse[other]},
            .delta = {delta[i], delta[other]},
            .absent = other == i,
            .scale = a->scale,
            .count = block.keys,
            .panel = pairs * DF_PANEL,
            .probabilities = s->probabilities + i / 2 * DF_PANEL,
            .score_pairs = s->score_pairs + i / 2 * DF_PANEL,
            .score_rows = {s->score_rows + row, s->score_rows + row + BACKWARD_BLOCK},
        });
    }
}

/* What the backward pass of one head reads and writes, each at its first row. */
struct head_gradient {
    const uint16_t *q, *k, *v, *out, *dout;
    const float *lse;
    uint16_t *dq, *dk, *dv; /* dk NULL: not wanted */
};

/* Columns of sum [head size, columns] (+)= left [head size, queries] packed [queries, keys]. */
static void add_transposed(const struct attention *a, const uint16_t *left, struct block block,
                           const uint32_t *packed, float *sum)
{
    a->gemm(&(struct df_gemm_bf16){.m = a->head_size,
                                   .n = block.keys,
                                   .k = block.queries,
                                   .a = left,
                                   .lda = BACKWARD_BLOCK,
                                   .packed = (const uint16_t *)packed,
                                   .c = sum + block.first_key,
                                   .ldc = df_panel_columns(a->tokens),
                                   .accumulate = block.first_query > 0});
}

static void backward_block(const struct attention *a, const struct backward_scratch *s,
                           const struct head_gradient *h, struct block block, const float *delta)
{
    const int64_t first_panel = block.first_key * df_padded_rows(a->head_size);
    struct df_gemm_bf16 product = {.m = block.queries,
                                   .n = block.keys,
                                   .k = a->head_size,
                                   .a = h->q + block.first_query * a->row,
                                   .lda = a->row,
                                   .packed = s->keys + first_panel,
                                   .c = s->scores,
                                   .ldc = BACKWARD_BLOCK};

    a->gemm(&product);
    product.a = h->dout + block.first_query * a->dim;
    product.lda = a->dim;
    product.packed = s->values + first_panel;
    product.c = s->gradients;
    a->gemm(&product);
    softmax_backward(a, s, block, h->lse + block.first_query, delta);
    a->gemm(&(struct df_gemm_bf16){.m = block.queries,
                                   .n = a->head_size,
                                   .k = block.keys,
                                   .a = s->score_rows,
                                   .lda = BACKWARD_BLOCK,
                                   .packed = s->key_rows + block.first_key * df_panel_columns(a->head_size),
                                   .c = s->dq,
                                   .ldc = df_panel_columns(a->head_size),
                                   .accumulate = block.first_key > 0});
    add_transposed(a, s->dout_t, block, s->probabilities, s->dv);
    if (h->dk)
        add_transposed(a, s->query_t, block, s->score_pairs, s->dk);
}

/* The queries of a block against all keys. */
static void backward_queries(const struct attention *a, const struct backward_scratch *s,
                             const struct head_gradient *h, int64_t first)
{
    const int64_t rows = df_min_i64(BACKWARD_BLOCK, a->tokens - first);
    const uint16_t *q = h->q + first * a->row, *dout = h->dout + first * a->dim;
    float delta[BACKWARD_BLOCK];

    row_products(dout, h->out + first * a->dim, rows, a->head_size, a->dim, delta);
    transpose(dout, rows, a->head_size, a->dim, s->dout_t, BACKWARD_BLOCK);
    if (h->dk)
        transpose(q, rows, a->head_size, a->row, s->query_t, BACKWARD_BLOCK);
    for (int64_t key = 0; key < a->tokens; key += BACKWARD_BLOCK)
        backward_block(a, s, h, (struct block){first, rows, key, df_min_i64(BACKWARD_BLOCK, a->tokens - key)},
                       delta);
    store_rows(s->dq, rows, a->head_size, df_panel_columns(a->head_size), NULL, h->dq + first * a->row,
               a->row);
}

static void backward_head(const struct attention *a, const struct backward_scratch *s,
                          const struct head_gradient *h)
{
    const int64_t columns = df_panel_columns(a->tokens);

    df_pack_bf16_transposed(h->k, a->head_size, a->tokens, a->row, s->keys);
    df_pack_bf16_transposed(h->v, a->head_size, a->tokens, a->row, s->values);
    for (int64_t first = 0; first < a->tokens; first += BACKWARD_BLOCK)
        df_pack_bf16(h->k + first * a->row, df_min_i64(BACKWARD_BLOCK, a->tokens - first), a->head_size,
                     a->row, s->key_rows + first * df_panel_columns(a->head_size));
    for (int64_t first = 0; first < a->tokens; first += BACKWARD_BLOCK)
        backward_queries(a, s, h, first);
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
