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

/* From dout: the gradient of the bias; then, for each map, of its columns of the weights, and of the map
 * itself where dmap is not NULL. */
int df_concat_backward_bias(struct df_backend *backend, const struct df_concat *concat, float *dout);
int df_concat_backward_map(struct df_backend *backend, const struct df_concat *concat, int i, float *map,
                           float *dout, float *dmap);

#endif
