/* The products and the softmax of attention in float32, for one width of vectors. attention_f32.c includes
 * this once for each, having defined
 *   LANES      floats of a vector, at most 16
 *   VECTORS    vectors of columns that a product works on together, at most DF_PANEL / LANES
 *   TARGET     the attribute that lets a function use the instructions
 *   NAME(x)    x with the width's suffix
 * and, where there are instructions for it,
 *   MAX(a, b)  the larger, lane by lane, b where either is NaN
 *   EXP2(x)    2^x, lane by lane, for x <= 0, where x is far below -126 nearly 0; NaN stays NaN
 *   REDUCE_ADD(x), REDUCE_MAX(x)  the lanes' sum and the largest of lanes that are no NaN */

#define VECTOR    NAME(vector)
#define UNALIGNED NAME(unaligned_vector)
#define INTEGERS  NAME(integers)
#define INLINE    TARGET static inline __attribute__((always_inline))

typedef float VECTOR __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef float UNALIGNED
    __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef int32_t INTEGERS __attribute__((vector_size(LANES * sizeof(float))));

INLINE VECTOR NAME(load)(const float *x)
{
    return *(const UNALIGNED *)(const void *)x;
}

INLINE void NAME(store)(float *x, VECTOR values)
{
    *(UNALIGNED *)(void *)x = values;
}

/* rows x (vectors * LANES) of C. The counts are constants wherever it is called, so that the sums stay in
 * registers. */
INLINE void NAME(tile)(const struct df_packed_gemm *p, const float *a, const float *panel, float *c,
                       const int rows, const int vectors)
{
    VECTOR sums[MOST_ROWS][VECTORS];

#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sums[i][v] = p->accumulate ? NAME(load)(c + i * p->ldc + v * LANES) : (VECTOR){0.0f};
    }
    for (int64_t k = 0; k < p->k; k++) {
        VECTOR b[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            b[v] = NAME(load)(panel + k * DF_PANEL + v * LANES);
#pragma GCC unroll 6
        for (int i = 0; i < rows; i++) {
            const float factor = a[i * p->lda + k];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sums[i][v] += b[v] * factor;
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            NAME(store)(c + i * p->ldc + v * LANES, sums[i][v]);
    }
}

/* Up to six rows. */
INLINE void NAME(tile_rows)(const struct df_packed_gemm *p, const float *a, const float *panel, float *c,
                            int64_t rows, const int vectors)
{
    if (rows >= 6)
        NAME(tile)(p, a, panel, c, 6, vectors);
    else if (rows == 5)
        NAME(tile)(p, a, panel, c, 5, vectors);
    else if (rows == 4)
        NAME(tile)(p, a, panel, c, 4, vectors);
    else if (rows == 3)
        NAME(tile)(p, a, panel, c, 3, vectors);
    else if (rows == 2)
        NAME(tile)(p, a, panel, c, 2, vectors);
    else
        NAME(tile)(p, a, panel, c, 1, vectors);
}

/* All rows of a few columns. */
INLINE void NAME(columns)(const struct df_packed_gemm *p, const float *panel, float *c, const int vectors)
{
    for (int64_t i = 0; i < p->m; i += MOST_ROWS)
        NAME(tile_rows)(p, (const float *)p->a + i * p->lda, panel, c + i * p->ldc, p->m - i, vectors);
}

/* Columns outside, rows inside: a panel stays in the first-level cache, and A, which is small, is read again
 * for each. */
TARGET static void NAME(gemm)(const struct df_packed_gemm *p)
{
    assert(p->ldc >= df_panel_columns(p->n) && p->lda >= p->k);
    for (int64_t column = 0; column < p->n; column += VECTORS * LANES) {
        const float *panel =
            (const float *)p->packed + column / DF_PANEL * DF_PANEL * p->k + column % DF_PANEL;
        const int64_t vectors = (p->n - column + LANES - 1) / LANES;

        if (vectors >= VECTORS)
            NAME(columns)(p, panel, p->c + column, VECTORS);
#if VECTORS > 2
        else if (vectors == 3)
            NAME(columns)(p, panel, p->c + column, 3);
        else if (vectors == 2)
            NAME(columns)(p, panel, p->c + column, 2);
#endif
        else
            NAME(columns)(p, panel, p->c + column, 1);
    }
}

INLINE VECTOR NAME(repeat)(float value)
{
    return (VECTOR){0.0f} + value;
}

#ifndef MAX
#define MAX(a, b) NAME(max)(a, b)

INLINE VECTOR NAME(max)(VECTOR a, VECTOR b)
{
    const INTEGERS first = a > b;
    return (VECTOR)((first & (INTEGERS)a) | (~first & (INTEGERS)b));
}
#endif

#ifndef EXP2
#define EXP2(x) NAME(exp2)(x)

/* The result is never below 2^-126, so that the power of two stays a normal number. */
INLINE VECTOR NAME(exp2)(VECTOR x)
{
    const VECTOR clamped = MAX(NAME(repeat)(-126.0f), x), shifted = clamped + TO_INTEGER;
    const VECTOR p = POLYNOMIAL(clamped - (shifted - TO_INTEGER));
    return p * (VECTOR)(((INTEGERS)shifted + 127) << 23);
}
#endif

#ifndef REDUCE_ADD
#define REDUCE_ADD(x) NAME(sum_of_lanes)(x)
#define REDUCE_MAX(x) NAME(largest_of_lanes)(x)

INLINE float NAME(sum_of_lanes)(VECTOR x)
{
    float lanes[LANES];

    NAME(store)(lanes, x);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int l = 0; l < width; l++)
            lanes[l] += lanes[l + width];
    }
    return lanes[0];
}

INLINE float NAME(largest_of_lanes)(VECTOR x)
{
    float lanes[LANES];

    NAME(store)(lanes, x);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int l = 0; l < width; l++)
            lanes[l] = lanes[l] > lanes[l + width] ? lanes[l] : lanes[l + width];
    }
    return lanes[0];
}
#endif

/* Makes whole vectors of a row: what lies behind its end becomes 0 as a probability. Returns their lanes. */
INLINE int64_t NAME(whole_vectors)(float *scores, int64_t count)
{
    const int64_t whole = (count + LANES - 1) / LANES * LANES;

    for (int64_t j = count; j < whole; j++)
        scores[j] = -INFINITY;
    return whole;
}

TARGET static float NAME(softmax)(float *scores, int64_t count, float scale, void *probabilities,
                                  struct df_softmax_row *row)
{
    const int64_t whole = NAME(whole_vectors)(scores, count);
    const float scale2 = scale * DF_LOG2_E, before = row->largest;
    VECTOR largest = NAME(repeat)(before), sum = {0.0f};

    for (int64_t j = 0; j < whole; j += LANES)
        largest = MAX(NAME(load)(scores + j), largest);
    row->largest = REDUCE_MAX(largest);
    for (int64_t j = 0; j < whole; j += LANES) {
        const VECTOR e = EXP2((NAME(load)(scores + j) - row->largest) * scale2);
        NAME(store)((float *)probabilities + j, e);
        sum += e;
    }
    const float total = REDUCE_ADD(sum);
    return df_softmax_add(row, before, scale, total, total);
}

TARGET static void NAME(softmax_backward_row)(const struct df_softmax_pair *pair, int r)
{
    const int64_t whole = NAME(whole_vectors)(pair->scores[r], pair->count);
    const float *scores = pair->scores[r], *gradients = pair->gradients[r];

    for (int64_t j = 0; j < whole; j += LANES) {
        const int64_t packed = j / DF_PANEL * pair->panel + r * DF_PANEL + j % DF_PANEL;
        const VECTOR x = NAME(load)(scores + j) * pair->scale - pair->log_sum[r];
        const VECTOR p = EXP2(x * DF_LOG2_E);
        const VECTOR d = p * ((NAME(load)(gradients + j) - pair->delta[r]) * pair->scale);
        NAME(store)((float *)pair->probabilities + packed, p);
        NAME(store)((float *)pair->packed_scores + packed, d);
        NAME(store)((float *)pair->score_rows[r] + j, d);
    }
}

static void NAME(softmax_backward)(const struct df_softmax_pair *pair)
{
    NAME(softmax_backward_row)(pair, 0);
    if (!pair->absent)
        NAME(softmax_backward_row)(pair, 1);
}

#undef VECTOR
#undef UNALIGNED
#undef INTEGERS
#undef INLINE
#undef LANES
#undef VECTORS
#undef TARGET
#undef NAME
#undef MAX
#undef EXP2
#undef REDUCE_ADD
#undef REDUCE_MAX
