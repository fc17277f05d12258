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
void ref_batchnorm_relu(const double *x, int64_t rows, int64_t channels, const double *mean,
                        const double *variance, float eps, const double *gamma, const double *beta,
                        double *y);
/* With the statistics of x itself; dx [rows, channels], dgamma and dbeta [channels]. */
void ref_batchnorm_relu_backward(const double *x, const double *dy, int64_t rows, int64_t channels, float eps,
                                 const double *gamma, const double *beta, double *dx, double *dgamma,
                                 double *dbeta);

/* y [B, height, width, channels] += resized x [B, h, w, channels]. */
void ref_nearest_add(const double *x, int64_t batch, int64_t h, int64_t w, double *y, int64_t height,
                     int64_t width, int64_t channels);

#endif
