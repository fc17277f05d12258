/* Attention, forward and backward. A head's keys and values are packed once; then blocks of queries are
 * worked through against blocks of keys, whose scores stay in a core's cache: the [N, N] matrix of a head
 * never exists. The forward pass keeps the largest score so far of each row and scales down what it summed
 * when a larger one comes.
 *
 * The gradients of k and v are summed transposed, [head size, N]: dv^T += dout^T P needs P packed as the
 * right side of a product, which the softmax can write directly, where dv += P^T dout would need P
 * transposed.
 *
 * Every block is computed on one thread and blocks that add to the same sums are computed in order: the bits
 * of the result do not depend on the number of threads. */
#include "attention_kernels.h"
#include "../cpu_backend.h"
#include "../cpu_context.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <string.h>

/* More than any kernels' forward_queries. */
#define MOST_QUERIES 128

/* Queries and keys of a block of the backward pass, whole panels: what the softmax leaves for the products
 * stays in the second-level cache (192 KB in float32), and dk and dv, to which every block adds, are read and
 * written once for 128 queries. */
#define BACKWARD_BLOCK 128

struct attention {
    int64_t tokens, heads, head_size;
    int64_t dim;          /* a row of out */
    int64_t row;          /* a row of qkv */
    int64_t forward_keys; /* of a block of the forward pass, whole panels */
    float scale;
    const struct df_attention_kernels *kernels;
};

static int64_t blocks_of(int64_t count, int64_t block)
{
    return (count + block - 1) / block;
}

/* Blocks of at most `most`, the last of which is no scrap; whole panels. */
static int64_t even_block(int64_t count, int64_t most)
{
    return df_panel_columns(blocks_of(count, blocks_of(count, most)));
}

static struct attention attention_of(struct df_backend *backend, struct df_attention_shape shape)
{
    const int64_t dim = shape.heads * shape.head_size;
    const struct df_attention_kernels *kernels = df_attention_kernels(backend->compute);

    assert(shape.batch > 0 && shape.tokens > 0 && shape.heads > 0 && shape.head_size > 0);
    assert(shape.head_size % kernels->k_step ==
           0); /* q and dout are read as they lie, without zeros behind */
    assert(kernels->forward_queries <= MOST_QUERIES);
    return (struct attention){
        .tokens = shape.tokens,
        .heads = shape.heads,
        .head_size = shape.head_size,
        .dim = dim,
        .row = 3 * dim,
        .forward_keys = even_block(shape.tokens, kernels->forward_keys),
        .scale = 1.0f / sqrtf((float)shape.head_size),
        .kernels = kernels,
    };
}

/* Bytes for every thread of a scratch buffer. NULL with the error set. */
static void *scratch_for(struct df_backend *backend, const struct attention *a, size_t bytes_per_thread)
{
    size_t bytes;

    if (!df_size_mul((size_t)backend->threads, bytes_per_thread, &bytes)) {
        df_error_set("attention over %lld tokens: too large", (long long)a->tokens);
        return NULL;
    }
    return df_cpu_scratch(backend, bytes);
}

/* Where an element lies. */
static void *at(const struct attention *a, void *elements, int64_t index)
{
    return (char *)elements + (size_t)index * a->kernels->element;
}

static const void *in(const struct attention *a, const void *elements, int64_t index)
{
    return (const char *)elements + (size_t)index * a->kernels->element;
}

/* Where in qkv a head's q starts; its k lies dim further on, its v 2 * dim. */
static int64_t head_offset(const struct attention *a, int64_t image, int64_t head)
{
    return image * a->tokens * a->row + head * a->head_size;
}

static int64_t out_offset(const struct attention *a, int64_t image, int64_t head)
{
    return image * a->tokens * a->dim + head * a->head_size;
}

static int64_t padded_rows(const struct attention *a, int64_t k)
{
    return (k + a->kernels->k_step - 1) / a->kernels->k_step * a->kernels->k_step;
}

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

static void *cut_packed(struct cutter *cutter, const struct attention *a, int64_t k, int64_t n)
{
    return cut(cutter, padded_rows(a, k) * df_panel_columns(n), a->kernels->element);
}

/* rows [tokens, head size] packed in blocks of `block` rows, one behind the other. */
static void pack_blocks(const struct attention *a, const void *rows, int64_t block, void *packed)
{
    for (int64_t first = 0; first < a->tokens; first += block)
        a->kernels->pack(in(a, rows, first * a->row), df_min_i64(block, a->tokens - first), a->head_size,
                         a->row, at(a, packed, first * df_panel_columns(a->head_size)));
}

/* --- forward --- */

struct forward_scratch {
    void *keys;          /* k^T packed [head size, N] */
    void *values;        /* v packed [keys of a block, head size], block after block */
    float *scores;       /* [queries, keys] of a block */
    void *probabilities; /* the same */
    float *out;          /* [queries, panel columns of the head size] */
};

static size_t cut_forward(const struct attention *a, char *base, struct forward_scratch *s)
{
    const int64_t queries = a->kernels->forward_queries, keys = a->forward_keys;
    const bool in_place = a->kernels->element == sizeof *s->scores;
    struct cutter cutter = {base};

    s->keys = cut_packed(&cutter, a, a->head_size, a->tokens);
    s->values = cut_packed(&cutter, a, blocks_of(a->tokens, keys) * keys, a->head_size);
    s->scores = cut(&cutter, queries * keys, sizeof *s->scores);
    s->probabilities = in_place ? s->scores : cut(&cutter, queries * keys, a->kernels->element);
    s->out = cut(&cutter, queries * df_panel_columns(a->head_size), sizeof *s->out);
    return (size_t)(cutter.next - base);
}

/* Scores of `keys` more keys to probabilities; out, the sums so far, keeps up with the largest score. */
static void exponentiate(const struct attention *a, const struct forward_scratch *s, int64_t queries,
                         int64_t keys, bool accumulate, struct df_softmax_row *rows)
{
    for (int64_t i = 0; i < queries; i++) {
        const int64_t first = i * a->forward_keys;
        float *out = s->out + i * df_panel_columns(a->head_size);
        const float factor =
            a->kernels->softmax(s->scores + first, keys, a->scale, at(a, s->probabilities, first), &rows[i]);

        if (accumulate && factor != 1.0f) {
            for (int64_t j = 0; j < a->head_size; j++)
                out[j] *= factor;
        }
    }
}

/* The queries from `first` on. */
static void forward_block(const struct attention *a, const struct forward_scratch *s, const void *q,
                          int64_t first, void *out, float *lse)
{
    const int64_t queries = df_min_i64(a->kernels->forward_queries, a->tokens - first);
    const int64_t block = a->forward_keys, out_ld = df_panel_columns(a->head_size);
    struct df_softmax_row rows[MOST_QUERIES];
    float inverse[MOST_QUERIES];

    for (int64_t i = 0; i < queries; i++)
        rows[i] = (struct df_softmax_row){.largest = -INFINITY};
    for (int64_t key = 0; key < a->tokens; key += block) {
        const int64_t keys = df_min_i64(block, a->tokens - key);

        a->kernels->gemm(&(struct df_packed_gemm){.m = queries,
                                                  .n = keys,
                                                  .k = a->head_size,
                                                  .a = in(a, q, first * a->row),
                                                  .lda = a->row,
                                                  .packed = at(a, s->keys, key * a->head_size),
                                                  .c = s->scores,
                                                  .ldc = block});
        exponentiate(a, s, queries, keys, key > 0, rows);
        a->kernels->gemm(&(struct df_packed_gemm){.m = queries,
                                                  .n = a->head_size,
                                                  .k = keys,
                                                  .a = s->probabilities,
                                                  .lda = block,
                                                  .packed = at(a, s->values, key * out_ld),
                                                  .c = s->out,
                                                  .ldc = out_ld,
                                                  .accumulate = key > 0});
    }
    for (int64_t i = 0; i < queries; i++) {
        inverse[i] = 1.0f / rows[i].rounded_sum;
        if (lse)
            lse[first + i] = a->scale * rows[i].largest + logf(rows[i].sum);
    }
    a->kernels->store_rows(s->out, queries, a->head_size, out_ld, inverse, at(a, out, first * a->dim),
                           a->dim);
}

/* It takes nothing beforehand. */
int df_cpu_expect_attention(struct df_backend *backend, struct df_attention_shape shape, bool training)
{
    (void)backend, (void)shape, (void)training;
    return 0;
}

int df_cpu_attention_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                             void *out, float *lse)
{
    const struct attention a = attention_of(backend, shape);
    const int64_t blocks = blocks_of(a.tokens, a.kernels->forward_queries), pairs = shape.batch * a.heads;
    /* Where there are fewer heads than threads a head is shared, at the price of packing it more than once.
     */
    const int64_t splits = df_min_i64(blocks, (2 * backend->threads + pairs - 1) / pairs);
    struct forward_scratch sizes;
    const size_t bytes = cut_forward(&a, NULL, &sizes);
    char *scratch = scratch_for(backend, &a, bytes);

    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads)
    for (int64_t task = 0; task < pairs * splits; task++) {
        const int64_t pair = task / splits, image = pair / a.heads, head = pair % a.heads;
        const void *q = in(&a, qkv, head_offset(&a, image, head));
        struct forward_scratch s;

        cut_forward(&a, scratch + (size_t)omp_get_thread_num() * bytes, &s);
        a.kernels->pack_transposed(in(&a, q, a.dim), a.head_size, a.tokens, a.row, s.keys);
        pack_blocks(&a, in(&a, q, 2 * a.dim), a.forward_keys, s.values);
        for (int64_t block = task % splits; block < blocks; block += splits)
            forward_block(&a, &s, q, block * a.kernels->forward_queries,
                          at(&a, out, out_offset(&a, image, head)), lse ? lse + pair * a.tokens : NULL);
    }
    return 0;
}

/* --- backward --- */

struct backward_scratch {
    void *keys, *values;       /* k^T, v^T packed [head size, N] */
    void *key_rows;            /* k packed [keys of a block, head size], block after block */
    float *scores, *gradients; /* [some queries, keys] of a block, of the probabilities */
    void *score_rows;          /* [queries, keys] gradients of the scores, as the left side of dq */
    void *packed_scores;       /* the same packed, as the right side of dk^T */
    void *probabilities;       /* packed [queries, keys], the right side of dv^T */
    void *dout_t, *query_t;    /* [head size, queries]: dout^T and q^T */
    float *dq;                 /* [queries, panel columns of the head size] */
    float *dk, *dv;            /* [head size, columns], transposed sums over all blocks */
};

static size_t cut_backward(const struct attention *a, char *base, struct backward_scratch *s)
{
    const int64_t columns = df_panel_columns(a->tokens), block = BACKWARD_BLOCK * BACKWARD_BLOCK;
    const int64_t strip = a->kernels->backward_queries * BACKWARD_BLOCK;
    const size_t element = a->kernels->element;
    struct cutter cutter = {base};

    s->keys = cut_packed(&cutter, a, a->head_size, a->tokens);
    s->values = cut_packed(&cutter, a, a->head_size, a->tokens);
    s->key_rows = cut_packed(&cutter, a, blocks_of(a->tokens, BACKWARD_BLOCK) * BACKWARD_BLOCK, a->head_size);
    s->scores = cut(&cutter, strip, sizeof *s->scores);
    s->gradients = cut(&cutter, strip, sizeof *s->gradients);
    s->score_rows = cut(&cutter, block, element);
    s->packed_scores = cut(&cutter, block, element);
    s->probabilities = cut(&cutter, block, element);
    s->dout_t = cut(&cutter, a->head_size * BACKWARD_BLOCK, element);
    s->query_t = cut(&cutter, a->head_size * BACKWARD_BLOCK, element);
    s->dq = cut(&cutter, BACKWARD_BLOCK * df_panel_columns(a->head_size), sizeof *s->dq);
    s->dk = cut(&cutter, a->head_size * columns, sizeof *s->dk);
    s->dv = cut(&cutter, a->head_size * columns, sizeof *s->dv);
    return (size_t)(cutter.next - base);
}

/* What the backward pass of one head reads and writes, each at its first row. */
struct head_gradient {
    const void *q, *k, *v, *out, *dout;
    const float *lse;
    void *dq, *dk, *dv; /* dk NULL: not wanted */
};

/* A block of the scores: queries and keys, each from `first` on. */
struct block {
    int64_t first_query, queries, first_key, keys;
};

/* Scores and the probabilities' gradients of the block's rows [begin, end) to what the three products of the
 * backward pass read. */
static void softmax_backward(const struct attention *a, const struct backward_scratch *s, struct block block,
                             int64_t begin, int64_t end, const float *lse, const float *delta)
{
    const int64_t panel = padded_rows(a, block.queries) * DF_PANEL;

    for (int64_t i = begin; i < end; i += 2) {
        const int64_t other = i + 1 < end ? i + 1 : i;
        const int64_t row = (i - begin) * BACKWARD_BLOCK, other_row = (other - begin) * BACKWARD_BLOCK;
        a->kernels->softmax_backward(&(struct df_softmax_pair){
            .scores = {s->scores + row, s->scores + other_row},
            .gradients = {s->gradients + row, s->gradients + other_row},
            .log_sum = {lse[i], lse[other]},
            .delta = {delta[i], delta[other]},
            .absent = other == i,
            .scale = a->scale,
            .count = block.keys,
            .panel = panel,
            .probabilities = at(a, s->probabilities, i * DF_PANEL),
            .packed_scores = at(a, s->packed_scores, i * DF_PANEL),
            .score_rows = {at(a, s->score_rows, i * BACKWARD_BLOCK),
                           at(a, s->score_rows, (i + 1) * BACKWARD_BLOCK)},
        });
    }
}

/* Zeros where the packed matrices of a block are longer than its queries, which the softmax writes in pairs
 * if the type packs pairs. */
static void fill_panels(const struct attention *a, const struct backward_scratch *s, struct block block)
{
    const int64_t rows = padded_rows(a, block.queries), used = df_min_i64(rows, (block.queries + 1) / 2 * 2);
    const size_t rest = (size_t)((rows - used) * DF_PANEL) * a->kernels->element;

    for (int64_t column = 0; column < block.keys; column += DF_PANEL) {
        memset(at(a, s->probabilities, column * rows + used * DF_PANEL), 0, rest);
        memset(at(a, s->packed_scores, column * rows + used * DF_PANEL), 0, rest);
    }
}

/* Scores and the probabilities' gradients, as many queries at a time as stay in the first-level cache. */
static void backward_scores(const struct attention *a, const struct backward_scratch *s,
                            const struct head_gradient *h, struct block block, const float *delta)
{
    const int64_t first_panel = block.first_key * a->head_size;

    fill_panels(a, s, block);
    for (int64_t begin = 0; begin < block.queries; begin += a->kernels->backward_queries) {
        const int64_t end = df_min_i64(begin + a->kernels->backward_queries, block.queries);
        struct df_packed_gemm product = {.m = end - begin,
                                         .n = block.keys,
                                         .k = a->head_size,
                                         .a = in(a, h->q, (block.first_query + begin) * a->row),
                                         .lda = a->row,
                                         .packed = at(a, s->keys, first_panel),
                                         .c = s->scores,
                                         .ldc = BACKWARD_BLOCK};

        a->kernels->gemm(&product);
        product.a = in(a, h->dout, (block.first_query + begin) * a->dim);
        product.lda = a->dim;
        product.packed = at(a, s->values, first_panel);
        product.c = s->gradients;
        a->kernels->gemm(&product);
        softmax_backward(a, s, block, begin, end, h->lse + block.first_query, delta);
    }
}

/* Columns of sum [head size, columns] (+)= left [head size, queries] packed [queries, keys]. */
static void add_transposed(const struct attention *a, const void *left, struct block block,
                           const void *packed, float *sum)
{
    a->kernels->gemm(&(struct df_packed_gemm){.m = a->head_size,
                                              .n = block.keys,
                                              .k = block.queries,
                                              .a = left,
                                              .lda = BACKWARD_BLOCK,
                                              .packed = packed,
                                              .c = sum + block.first_key,
                                              .ldc = df_panel_columns(a->tokens),
                                              .accumulate = block.first_query > 0});
}

static void backward_block(const struct attention *a, const struct backward_scratch *s,
                           const struct head_gradient *h, struct block block, const float *delta)
{
    const int64_t dq_ld = df_panel_columns(a->head_size);

    backward_scores(a, s, h, block, delta);
    a->kernels->gemm(&(struct df_packed_gemm){.m = block.queries,
                                              .n = a->head_size,
                                              .k = block.keys,
                                              .a = s->score_rows,
                                              .lda = BACKWARD_BLOCK,
                                              .packed = at(a, s->key_rows, block.first_key * dq_ld),
                                              .c = s->dq,
                                              .ldc = dq_ld,
                                              .accumulate = block.first_key > 0});
    add_transposed(a, s->dout_t, block, s->probabilities, s->dv);
    if (h->dk)
        add_transposed(a, s->query_t, block, s->packed_scores, s->dk);
}

/* The queries of a block against all keys. */
static void backward_queries(const struct attention *a, const struct backward_scratch *s,
                             const struct head_gradient *h, int64_t first)
{
    const int64_t rows = df_min_i64(BACKWARD_BLOCK, a->tokens - first);
    const void *q = in(a, h->q, first * a->row), *dout = in(a, h->dout, first * a->dim);
    float delta[BACKWARD_BLOCK];

    a->kernels->row_products(dout, in(a, h->out, first * a->dim), rows, a->head_size, a->dim, delta);
    a->kernels->transpose(dout, rows, a->head_size, a->dim, s->dout_t, BACKWARD_BLOCK);
    if (h->dk)
        a->kernels->transpose(q, rows, a->head_size, a->row, s->query_t, BACKWARD_BLOCK);
    for (int64_t key = 0; key < a->tokens; key += BACKWARD_BLOCK)
        backward_block(a, s, h, (struct block){first, rows, key, df_min_i64(BACKWARD_BLOCK, a->tokens - key)},
                       delta);
    a->kernels->store_rows(s->dq, rows, a->head_size, df_panel_columns(a->head_size), NULL,
                           at(a, h->dq, first * a->row), a->row);
}

static void backward_head(const struct attention *a, const struct backward_scratch *s,
                          const struct head_gradient *h)
{
    const int64_t columns = df_panel_columns(a->tokens);

    a->kernels->pack_transposed(h->k, a->head_size, a->tokens, a->row, s->keys);
    a->kernels->pack_transposed(h->v, a->head_size, a->tokens, a->row, s->values);
    pack_blocks(a, h->k, BACKWARD_BLOCK, s->key_rows);
    for (int64_t first = 0; first < a->tokens; first += BACKWARD_BLOCK)
        backward_queries(a, s, h, first);
    a->kernels->store_transposed(s->dv, a->head_size, a->tokens, columns, h->dv, a->row);
    if (h->dk)
        a->kernels->store_transposed(s->dk, a->head_size, a->tokens, columns, h->dk, a->row);
}

/* Threads take whole heads, whose blocks add to the same dk and dv in order: no more threads than images x
 * heads have work (12 for ViT-S with two images). */
int df_cpu_attention_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                              const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk)
{
    const struct attention a = attention_of(backend, shape);
    struct backward_scratch sizes;
    const size_t bytes = cut_backward(&a, NULL, &sizes);
    char *scratch = scratch_for(backend, &a, bytes);

    assert(lse);
    if (!scratch)
        return -1;
#pragma omp parallel for schedule(dynamic) num_threads(backend->threads)
    for (int64_t pair = 0; pair < shape.batch * a.heads; pair++) {
        const int64_t image = pair / a.heads, head = pair % a.heads;
        const int64_t offset = head_offset(&a, image, head), offset_of_out = out_offset(&a, image, head);
        struct backward_scratch s;

        cut_backward(&a, scratch + (size_t)omp_get_thread_num() * bytes, &s);
        backward_head(&a, &s,
                      &(struct head_gradient){.q = in(&a, qkv, offset),
                                              .k = in(&a, qkv, offset + a.dim),
                                              .v = in(&a, qkv, offset + 2 * a.dim),
                                              .out = in(&a, out, offset_of_out),
                                              .dout = in(&a, dout, offset_of_out),
                                              .lse = lse + pair * a.tokens,
                                              .dq = at(&a, dqkv, offset),
                                              .dk = need_dk ? at(&a, dqkv, offset + a.dim) : NULL,
                                              .dv = at(&a, dqkv, offset + 2 * a.dim)});
    }
    return 0;
}
