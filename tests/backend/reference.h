/* The operations of dinoft/backend.h once more, as plainly as possible: one element after the other, in
 * double. */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include "dinoft/backend.h"

double ref_gelu(double x);
double ref_silu(double x);

/* y [rows, hidden] from x [rows, 2 * hidden]. */
void ref_swiglu(const double *x, double *y, int64_t rows, int64_t hidden);

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

/* logits [B, h, w, C] -> large [B, height, width, C]. */
void ref_bilinear(const double *logits, int64_t batch, int64_t h, int64_t w, int64_t classes, double *large,
                  int64_t height, int64_t width);
/* The gradient of ref_bilinear: dlogits [B, h, w, C] = sums of dlarge. */
void ref_bilinear_backward(const double *dlarge, int64_t batch, int64_t h, int64_t w, int64_t classes,
                           double *dlogits, int64_t height, int64_t width);
/* Sum over pixels [pixels, C] of -log softmax at the label (255: none) and their number. dlogits [pixels, C]
 * receives the gradient of the mean, or is NULL. */
double ref_cross_entropy(const double *logits, const uint8_t *labels, int64_t pixels, int64_t classes,
                         int64_t *counted, double *dlogits);

/* One step of AdamW on one element. */
void ref_adamw(const struct df_adamw *settings, double *parameter, double gradient, double *m, double *v);

#endif
