/* The softmax of attention in bfloat16: rows of float32 scores to bfloat16 probabilities, and the gradient.
 * In plain C, and with AVX-512 for where that cannot be left to a compiler. Private to src/backend/cpu. */
#ifndef DINOFT_SOFTMAX_BF16_H
#define DINOFT_SOFTMAX_BF16_H

#include "gemm_bf16.h"

#define DF_LOG2_E 1.44269504f

/* The largest score of a row, the sum of its exponentials, and their sum after rounding: the rounded ones
 * divided by the former would be biased where scores are alike and all rounded the same way (gradients
 * through the FPN lost a third of their direction by that). */
struct df_softmax_row {
    float largest, sum, rounded_sum;
};

/* probabilities[j] = e^(scale (scores[j] - largest)), not normalised yet, for `count` columns; zeros from
 * there to df_padded_rows(count). */
typedef struct df_softmax_row df_softmax_function(const float *scores, int64_t count, float scale,
                                                  uint16_t *probabilities);

/* Two neighbouring rows of scores and of the gradients of their probabilities. The second row of an odd
 * block's last pair is `absent`: its results are zeros. */
struct df_softmax_pair {
    const float *scores[2], *gradients[2];
    float log_sum[2]; /* of the exponentials of the scaled scores */
    float delta[2];   /* dout . out, what the softmax takes off each row's gradient */
    bool absent;
    float scale;
    int64_t count;           /* columns */
    int64_t panel;           /* uint32 from a panel of the packed arrays to the next */
    uint32_t *probabilities; /* both rows' in pairs, as the right side of a product reads them */
    uint32_t *score_pairs;   /* gradients of the unscaled scores, the same way */
    uint16_t *score_rows[2]; /* and side by side */
};

/* Fills whole panels: columns from count on are zeros. */
typedef void df_softmax_backward_function(const struct df_softmax_pair *pair);

df_softmax_function df_softmax_bf16, df_softmax_bf16_avx512;
df_softmax_backward_function df_softmax_backward_bf16, df_softmax_backward_bf16_avx512;

#endif
