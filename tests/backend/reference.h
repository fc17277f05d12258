/* The operations of dinoft/backend.h once more, as plainly as possible: one element after the other, in
 * double. */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include "dinoft/backend.h"

/* x [B, N, D] -> y [B * rows, D]; mean, rstd [B * rows] or NULL. */
void ref_layernorm(const double *x, struct df_token_rows rows, int64_t dim, const float *gamma,
                   const float *beta, float eps, double *y, double *mean, double *rstd);

/* qkv [B, N, 3, heads, head_size] in place; sin, cos [P, head_size]. */
void ref_rope(double *qkv, struct df_attention_shape shape, int64_t prefix_tokens, const float *sin,
              const float *cos);

/* Mean and biased variance of every channel of x [rows, channels]. */
void ref_channel_statistics(const double *x, int64_t rows, int64_t channels, double *mean, double *variance);

#endif
