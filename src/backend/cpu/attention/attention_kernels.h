/* What attention computes with, for float32 and for bfloat16 and for each kind of processor: small matrix
 * products on the calling thread, the softmax of a block of scores, and changes of layout. (A library call
 * for each block would repack its operands every time; here they are packed once for a head.) "Elements" are
 * of the type that attention computes in; sums and scores are float32. Private to src/backend/cpu. */
#ifndef DINOFT_ATTENTION_KERNELS_H
#define DINOFT_ATTENTION_KERNELS_H

#include "dinoft/dtype.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns of a panel of a packed matrix. */
#define DF_PANEL 64

#define DF_LOG2_E 1.44269504f

/* n rounded up to what a packed matrix holds. */
static inline int64_t df_panel_columns(int64_t n)
{
    return (n + DF_PANEL - 1) / DF_PANEL * DF_PANEL;
}

/* C [m, n] (+)= A [m, k] B [k, n] with float32 sums. A is row-major and read as it is. B is packed in panels
 * of DF_PANEL columns; how a panel lies, and what must lie behind column k of A, depends on the type
 * (attention_f32.h, gemm_bf16.h). Each row of c is a buffer of df_panel_columns(n) columns, of which those
 * from n on are overwritten with anything. */
struct df_packed_gemm {
    int64_t m, n, k;
    const void *a;
    int64_t lda;
    const void *packed;
    float *c;
    int64_t ldc;
    bool accumulate;
};

typedef void df_packed_gemm_function(const struct df_packed_gemm *product);

/* Of the scores of a row so far: the largest, the sum of the exponentials of scale (score - largest), and
 * their sum after rounding to the type: the rounded ones divided by the former would be biased where scores
 * are alike and all rounded the same way (gradients through the FPN lost a third of their direction by that).
 * Starts as {-INFINITY, 0, 0}. */
struct df_softmax_row {
    float largest, sum, rounded_sum;
};

/* probabilities[j] = e^(scale (scores[j] - row->largest)), not normalised yet, for the next `count` columns
 * of a row, whose largest score may be among them. Returns the factor by which what was computed with the
 * exponentials before must be multiplied. Columns from count on to a whole panel may be overwritten in both
 * arrays, which may be one where the elements are float32. */
typedef float df_softmax_function(float *scores, int64_t count, float scale, void *probabilities,
                                  struct df_softmax_row *row);

/* What a df_softmax_function leaves: `row->largest` was `before`, the sums are those of the new columns.
 * Returns the factor. */
static inline float df_softmax_add(struct df_softmax_row *row, float before, float scale, float sum,
                                   float rounded_sum)
{
    const float factor = before == row->largest ? 1.0f : expf(scale * (before - row->largest));

    row->sum = row->sum * factor + sum;
    row->rounded_sum = row->rounded_sum * factor + rounded_sum;
    return factor;
}

/* Two neighbouring rows of scores and of the gradients of their probabilities. The second row of an odd
 * block's last pair is `absent`: its results are zeros, where the type packs rows in pairs. */
struct df_softmax_pair {
    float *scores[2]; /* columns from count on to a whole panel may be overwritten */
    const float *gradients[2];
    float log_sum[2]; /* of the exponentials of the scaled scores */
    float delta[2];   /* dout . out, what the softmax takes off each row's gradient */
    bool absent;
    float scale;
    int64_t count;       /* columns */
    int64_t panel;       /* elements from a panel of the packed arrays to the next */
    void *probabilities; /* both rows', packed as the right side of a product reads them */
    void *packed_scores; /* gradients of the unscaled scores, the same way */
    void *score_rows[2]; /* and side by side */
};

typedef void df_softmax_backward_function(const struct df_softmax_pair *pair);

/* Packs B [k, n], row-major with stride ld; or its transpose, where b is [n, k]. */
typedef void df_pack_function(const void *b, int64_t k, int64_t n, int64_t ld, void *packed);

/* destination [cols, rows] = the transpose of source [rows, cols]. As `transpose` both are elements, with
 * zeros behind the rows up to a multiple of k_step; as `store_transposed` the source is float32, and there
 * are none. */
typedef void df_transpose_function(const void *source, int64_t rows, int64_t cols, int64_t source_ld,
                                   void *destination, int64_t destination_ld);

/* destination [rows, cols] = source [rows, cols] * factor[row] (NULL: 1). */
typedef void df_store_rows_function(const float *source, int64_t rows, int64_t cols, int64_t source_ld,
                                    const float *factor, void *destination, int64_t destination_ld);

/* products[i] = a[i] . b[i], rows of `cols` elements. */
typedef void df_row_products_function(const void *a, const void *b, int64_t rows, int64_t cols, int64_t ld,
                                      float *products);

struct df_attention_kernels {
    size_t element; /* bytes */
    int64_t k_step; /* the rows of a packed matrix and the columns of A are padded to a multiple of it */
    /* The forward pass makes the scores of so many queries and of at most so many keys (whole panels) at a
     * time, the backward pass those of so many queries: what measured best. */
    int64_t forward_queries, forward_keys, backward_queries;
    df_packed_gemm_function *gemm;
    df_pack_function *pack, *pack_transposed;
    df_softmax_function *softmax;
    df_softmax_backward_function *softmax_backward;
    df_transpose_function *transpose, *store_transposed;
    df_store_rows_function *store_rows;
    df_row_products_function *row_products;
};

/* The fastest of its type that processor, system and oneDNN's limit (the variable ONEDNN_MAX_CPU_ISA)
 * allow. */
const struct df_attention_kernels *df_attention_kernels(enum df_dtype type);

#endif
