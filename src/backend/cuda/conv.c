/* Convolutions of the decoders: cuDNN's, or our own kernels where there is no cuDNN, or where it has no
 * algorithm that can be used, or refuses the one it listed. */
#include "conv_cudnn.h"
#include "cuda_backend.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

static void check_shape(const struct df_conv_shape *shape)
{
    assert(shape->kernel > shape->padding && df_conv_side(shape, shape->height) >= 1 &&
           df_conv_side(shape, shape->width) >= 1);
    (void)shape;
}

int df_cuda_conv_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                         const float *weight, const float *bias, float *y)
{
    check_shape(&shape);
    if (shape.batch == 0)
        return 0;
    const int done = df_conv_cudnn_forward(backend, shape, x, weight, bias, y);
    if (done != 0)
        return done > 0 ? 0 : -1;
    df_cuda_note_algorithm(backend, DF_OWN_KERNEL);
    return DF_LAUNCH_ON(backend, conv_forward, shape, x, weight, bias, y);
}

int df_cuda_conv_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                               const float *weight, float *dx)
{
    check_shape(&shape);
    if (shape.batch == 0)
        return 0;
    const int done = df_conv_cudnn_backward_data(backend, shape, dy, weight, dx);
    if (done != 0)
        return done > 0 ? 0 : -1;
    df_cuda_note_algorithm(backend, DF_OWN_KERNEL);
    return DF_LAUNCH_ON(backend, conv_backward_data, shape, dy, weight, dx);
}

int df_cuda_conv_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                 const float *dy, float *dweight)
{
    check_shape(&shape);
    if (shape.batch == 0)
        return df_cuda_zero(backend, dweight,
                            (size_t)(shape.out * shape.in * shape.kernel * shape.kernel) * sizeof *dweight);
    const int done = df_conv_cudnn_backward_weight(backend, shape, x, dy, dweight);
    if (done != 0)
        return done > 0 ? 0 : -1;
    void *scratch = df_cuda_scratch(backend, df_launch_conv_backward_weight_scratch(shape));
    if (!scratch)
        return -1;
    df_cuda_note_algorithm(backend, DF_OWN_KERNEL);
    return DF_LAUNCH_ON(backend, conv_backward_weight, shape, x, dy, dweight, scratch);
}
