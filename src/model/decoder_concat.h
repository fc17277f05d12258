/* A 1x1 convolution over n maps of equal width as if they were concatenated. They are never put together: the
 * columns of the weights belong to one map after the other. */
#ifndef DINOFT_DECODER_CONCAT_H
#define DINOFT_DECODER_CONCAT_H

#include "parameters.h"

struct df_concat {
    int n;
    int64_t rows, dim, out;                   /* of each map, and channels of the result */
    const struct df_parameter *weight, *bias; /* [out, n * dim, 1, 1], [out] */
};

/* out float32 [rows, out] of maps[i] float32 [rows, dim]. */
int df_concat_forward(struct df_backend *backend, const struct df_concat *concat, float *const maps[],
                      float *out);

/* The gradients of the parameters from dout, and of those maps whose dmaps[i] is not NULL. */
int df_concat_backward(struct df_backend *backend, const struct df_concat *concat, float *const maps[],
                       float *dout, float *const dmaps[]);

#endif
