#include "cuda_backend.h"
#include "cuda_context.h"

#include "kernels/kernels.h"

#include "dinoft/error.h"

#include <assert.h>

#define MAX_CLASSES 255

int df_cuda_add_window(struct df_backend *backend, const struct df_window *window, const float *logits,
                       float *canvas)
{
    const size_t rows = (size_t)window->height * sizeof(float),
                 columns = (size_t)window->width * sizeof(float);
    struct df_window on_device = *window;

    assert(window->classes >= 1 && window->classes <= MAX_CLASSES);
    char *weights = df_cuda_scratch(backend, df_cuda_aligned(rows) + columns);
    if (!weights)
        return -1;
    on_device.row_weight = (const float *)(const void *)weights;
    on_device.column_weight = (const float *)(const void *)(weights + df_cuda_aligned(rows));
    DF_TRY(df_cuda_upload(backend, weights, window->row_weight, rows));
    DF_TRY(df_cuda_upload(backend, weights + df_cuda_aligned(rows), window->column_weight, columns));
    return DF_LAUNCH_ON(backend, add_window, &on_device, logits, canvas);
}

int df_cuda_add_probabilities(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                              int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width)
{
    assert(classes >= 1 && classes <= MAX_CLASSES);
    if (height * width == 0)
        return 0;
    return DF_LAUNCH_ON(backend, add_probabilities, logits, h, w, classes, mirrored, sum, height, width);
}

int df_cuda_argmax(struct df_backend *backend, const float *sum, int64_t count, int64_t classes,
                   int64_t views, const uint8_t *labels, uint8_t *prediction, float *confidence,
                   struct df_loss_sum *on_device, struct df_loss_sum *loss)
{
    const size_t result_bytes = df_cuda_aligned(sizeof *loss);

    assert(classes >= 1 && classes <= MAX_CLASSES && views > 0);
    char *scratch = df_cuda_scratch(backend, result_bytes + df_launch_argmax_scratch(count));
    if (!scratch)
        return -1;
    struct df_loss_sum *result = on_device ? on_device : (struct df_loss_sum *)(void *)scratch;
    if (count == 0)
        DF_TRY(df_cuda_zero(backend, result, sizeof *result));
    else
        DF_TRY(DF_LAUNCH_ON(backend, argmax, sum, count, classes, views, labels, prediction, confidence,
                            scratch + result_bytes, result));
    return on_device ? 0 : df_cuda_download(backend, loss, result, sizeof *loss);
}
