/* The work of the decoders', the evaluation's and the optimiser's operations. Maps are float32. */
#include "work_text.h"

static struct df_work conv(struct df_conv_shape shape)
{
    const int64_t out_h = df_conv_side(&shape, shape.height), out_w = df_conv_side(&shape, shape.width);
    const int64_t outputs = shape.batch * out_h * out_w * shape.out;
    const int64_t weights = shape.in * shape.kernel * shape.kernel;
    return df_work_of(2.0 * (double)outputs * (double)weights,
                      df_f32_bytes(shape.batch * shape.height * shape.width * shape.in + outputs) +
                          df_f32_bytes(shape.out * weights),
                      "[" I64 ", " I64 ", " I64 ", " I64 "], " I64 " x " I64 " to " I64, shape.batch,
                      shape.height, shape.width, shape.in, shape.kernel, shape.kernel, shape.out);
}

struct df_work df_work_conv_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                    const float *weight, const float *bias, float *y)
{
    return conv(shape);
}

struct df_work df_work_conv_backward_data(struct df_backend *backend, struct df_conv_shape shape,
                                          const float *dy, const float *weight, float *dx)
{
    return conv(shape);
}

struct df_work df_work_conv_backward_weight(struct df_backend *backend, struct df_conv_shape shape,
                                            const float *x, const float *dy, float *dweight)
{
    return conv(shape);
}

static struct df_work batchnorm(const struct df_batchnorm *norm, int tensors)
{
    return df_work_of(0, df_f32_bytes(tensors * norm->rows * norm->channels), "[" I64 ", " I64 "]",
                      norm->rows, norm->channels);
}

struct df_work df_work_batchnorm_forward(struct df_backend *backend, const struct df_batchnorm *norm,
                                         bool training, const float *x, float *y)
{
    return batchnorm(norm, 2);
}

struct df_work df_work_batchnorm_backward(struct df_backend *backend, const struct df_batchnorm *norm,
                                          const float *x, const float *y, const float *dy, float *dx,
                                          float *dgamma, float *dbeta)
{
    return batchnorm(norm, norm->relu ? 4 : 3);
}

struct df_work df_work_scale_channels(struct df_backend *backend, const float *x, const float *factors,
                                      int64_t batch, int64_t positions, int64_t channels, float *y)
{
    return df_work_of(0, df_f32_bytes(batch * (2 * positions + 1) * channels), "[" I64 ", " I64 ", " I64 "]",
                      batch, positions, channels);
}

struct df_work df_work_normalize_rows(struct df_backend *backend, const float *x, int64_t rows,
                                      int64_t columns, float *y)
{
    return df_work_of(0, df_f32_bytes(2 * rows * columns), "[" I64 ", " I64 "]", rows, columns);
}

struct df_work df_work_nearest_forward(struct df_backend *backend, const float *x, int64_t batch, int64_t h,
                                       int64_t w, float *y, int64_t height, int64_t width, int64_t channels,
                                       bool accumulate)
{
    const int64_t pixels = h * w + df_result_passes(accumulate) * height * width;
    return df_work_of(0, df_f32_bytes(batch * pixels * channels),
                      "[" I64 ", " I64 ", " I64 ", " I64 "] %s " I64 " x " I64, batch, h, w, channels,
                      df_result_arrow(accumulate), height, width);
}

struct df_work df_work_nearest_backward(struct df_backend *backend, const float *dy, int64_t batch,
                                        int64_t height, int64_t width, float *dx, int64_t h, int64_t w,
                                        int64_t channels)
{
    const int64_t pixels = h * w + height * width;
    return df_work_of(0, df_f32_bytes(batch * pixels * channels),
                      "[" I64 ", " I64 ", " I64 ", " I64 "] -> " I64 " x " I64, batch, height, width,
                      channels, h, w);
}

struct df_work df_work_upsample_loss(struct df_backend *backend, struct df_upsample_loss *work,
                                     float *scratch)
{
    const int64_t logits = work->batch * work->h * work->w * work->classes;
    const int64_t pixels = work->batch * work->height * work->width;
    const double bytes = df_f32_bytes(logits) + (work->dlogits ? df_f32_bytes(logits) : 0.0) +
                         (work->labels ? (double)pixels : 0.0) + (work->prediction ? (double)pixels : 0.0) +
                         (work->sigmoid_prediction ? (double)pixels : 0.0) +
                         (work->confidence ? df_f32_bytes(pixels) : 0.0);
    return df_work_of(
        0, bytes, "[" I64 ", " I64 ", " I64 ", " I64 "] to " I64 " x " I64 "%s%s%s%s%s", work->batch, work->h,
        work->w, work->classes, work->height, work->width, work->labels ? ", loss" : "",
        work->dlogits ? ", gradient" : "", work->prediction ? ", prediction" : "",
        work->sigmoid_prediction ? ", of sigmoids too" : "", work->confidence ? ", confidence" : "");
}

/* Logits that are read or written so many times, and so many bytes of each pixel. */
static struct df_work enlarged(const struct df_upsample_loss *work, int64_t passes, int64_t pixel_bytes)
{
    const int64_t logits = work->batch * work->h * work->w * work->classes;
    const int64_t pixels = work->batch * work->height * work->width;
    return df_work_of(0, df_f32_bytes(passes * logits) + (double)(pixel_bytes * pixels),
                      "[" I64 ", " I64 ", " I64 ", " I64 "] to " I64 " x " I64, work->batch, work->h, work->w,
                      work->classes, work->height, work->width);
}

struct df_work df_work_dice(struct df_backend *backend, const struct df_upsample_loss *work, float factor,
                            float *region, float *more)
{
    return enlarged(work, 1, 1);
}

struct df_work df_work_lovasz(struct df_backend *backend, const struct df_upsample_loss *work, float factor,
                              float *slopes, float *gradient, float *more)
{
    return enlarged(work, 2, 1 + (int64_t)sizeof(float));
}

struct df_work df_work_hard_pixels(struct df_backend *backend, const struct df_upsample_loss *work,
                                   float threshold, int64_t least, uint8_t *hard)
{
    return enlarged(work, 1, 2);
}

struct df_work df_work_upsample_logits(struct df_backend *backend, const float *logits, float *out,
                                       int64_t batch, int64_t h, int64_t w, int64_t classes, int64_t height,
                                       int64_t width)
{
    return df_work_of(0, df_f32_bytes(batch * classes * (h * w + height * width)),
                      "[" I64 ", " I64 ", " I64 ", " I64 "] to " I64 " x " I64, batch, h, w, classes, height,
                      width);
}

/* --- evaluation --- */

struct df_work df_work_add_window(struct df_backend *backend, const struct df_window *window,
                                  const float *logits, float *canvas)
{
    const int64_t pixels = window->h * window->w + 2 * window->height * window->width;
    return df_work_of(0, df_f32_bytes(pixels * window->classes),
                      "[" I64 ", " I64 ", " I64 "] to " I64 " x " I64, window->h, window->w, window->classes,
                      window->height, window->width);
}

struct df_work df_work_add_probabilities(struct df_backend *backend, const float *logits, int64_t h,
                                         int64_t w, int64_t classes, bool mirrored, float *sum,
                                         int64_t height, int64_t width)
{
    return df_work_of(0, df_f32_bytes((h * w + 2 * height * width) * classes),
                      "[" I64 ", " I64 ", " I64 "] to " I64 " x " I64 "%s", h, w, classes, height, width,
                      mirrored ? ", mirrored" : "");
}

struct df_work df_work_argmax(struct df_backend *backend, const float *sum, int64_t count, int64_t classes,
                              int64_t views, const uint8_t *labels, uint8_t *prediction, float *confidence,
                              struct df_loss_sum *on_device, struct df_loss_sum *loss)
{
    return df_work_of(
        0, df_f32_bytes(count * (classes + (confidence ? 1 : 0))) + (double)(labels ? 2 * count : count),
        "[" I64 ", " I64 "]", count, classes);
}

struct df_work df_work_confusion_matrix(struct df_backend *backend, const uint8_t *prediction,
                                        const uint8_t *labels, int64_t count, int64_t classes,
                                        int64_t *matrix)
{
    return df_work_of(0, 2.0 * (double)count, "[" I64 "], " I64 " classes", count, classes);
}

struct df_work df_work_calibration(struct df_backend *backend, const float *confidence,
                                   const uint8_t *prediction, const uint8_t *labels, int64_t count,
                                   struct df_calibration_bin *bins)
{
    return df_work_of(0, df_f32_bytes(count) + 2.0 * (double)count, "[" I64 "]", count);
}

struct df_work df_work_boundary_overlap(struct df_backend *backend, const uint8_t *prediction,
                                        const uint8_t *labels, int64_t height, int64_t width, int64_t classes,
                                        int64_t reach, int64_t *overlap)
{
    return df_work_of(0, 2.0 * (double)(height * width), "[" I64 ", " I64 "], " I64 " classes, reach " I64,
                      height, width, classes, reach);
}

/* --- the optimiser --- */

struct df_work df_work_add_gradient(struct df_backend *backend, const float *gradient, int64_t count,
                                    const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total)
{
    return df_work_of(0, df_f32_bytes(3 * count), "[" I64 "]", count);
}

struct df_work df_work_gradient_scale(struct df_backend *backend, const float *gradient, int64_t count,
                                      const struct df_loss_sum *total, double longest,
                                      struct df_gradient_scale *scale)
{
    return df_work_of(0, df_f32_bytes(count), "[" I64 "]%s", count, longest > 0.0 ? ", clipped" : "");
}

/* The parameter and both moments are read and written, the gradient is read. */
struct df_work df_work_adamw(struct df_backend *backend, const struct df_adamw_scalars *scalars,
                             const struct df_gradient_scale *scale, float *parameter, const float *gradient,
                             float *m, float *v, int64_t count)
{
    return df_work_of(0, df_f32_bytes(7 * count), "[" I64 "]", count);
}

struct df_work df_work_moving_average(struct df_backend *backend, const float *value, const float *weight,
                                      float *average, int64_t count)
{
    return df_work_of(0, df_f32_bytes(3 * count), "[" I64 "]", count);
}
