/* The hand-written CUDA kernels' launchers. Each file kernels/NAME.cu has one operation, or a few that belong
 * together: its kernels, their launch geometry and the memory traffic that they are bound by in a comment at
 * the top, and the launchers below.
 *
 * The operations and their tensors are those of dinoft/backend.h, and so are the names of dimensions; what is
 * said there is not repeated. Pointers are to device memory, 16-byte aligned at the start of each tensor
 * unless a matrix says otherwise. Launchers only enqueue work on the stream: they neither allocate nor wait,
 * so that they can be captured into a graph. They return cudaGetLastError() after the launch. Sums have a
 * fixed order: no atomics on floats. */
#ifndef DINOFT_KERNELS_H
#define DINOFT_KERNELS_H

#include "dinoft/backend.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- image.cu: pixels to patches --- */

cudaError_t df_launch_image_normalize(cudaStream_t stream, const uint8_t *pixels, float *image, int64_t batch,
                                      int64_t height, int64_t width, const float mean[3], const float std[3]);
/* patches [B * P, 3 * p * p] of `type`. */
cudaError_t df_launch_patchify(cudaStream_t stream, const float *image, void *patches, enum df_dtype type,
                               int64_t batch, int64_t height, int64_t width, int64_t patch);

/* --- resize_batch.cu: decoded images to a batch of the model's size --- */

/* sources: device [batch]. Each image (uint8 RGB) is resized as df_resize_linear does, bit for bit, and
 * normalised as image_normalize does: image float32 [B, 3, height, width]. */
cudaError_t df_launch_resize_normalize(cudaStream_t stream, const uint8_t *pixels,
                                       const struct df_packed_image *sources, float *image, int64_t batch,
                                       int64_t height, int64_t width, const float mean[3],
                                       const float std[3]);
/* Each mask (uint8 class indices) is resized as df_resize_nearest does: labels uint8 [B, height, width]. */
cudaError_t df_launch_resize_labels(cudaStream_t stream, const uint8_t *masks,
                                    const struct df_packed_image *sources, uint8_t *labels, int64_t batch,
                                    int64_t height, int64_t width);

/* --- tokens.cu --- */

cudaError_t df_launch_assemble_tokens(cudaStream_t stream, const float *patches, const float *prefix,
                                      const float *pos, float *x, struct df_token_rows rows, int64_t dim);

/* --- convert.cu: float32 and bfloat16, rows of matrices and arrays --- */

/* destination [rows, cols] = source, of any two types; leading dimensions in elements. */
cudaError_t df_launch_convert(cudaStream_t stream, struct df_matrix destination, struct df_matrix source);

/* --- layernorm.cu --- */

cudaError_t df_launch_layernorm_forward(cudaStream_t stream, const float *x, struct df_token_rows rows,
                                        int64_t dim, const float *gamma, const float *beta, float eps,
                                        void *y, enum df_dtype type, float *mean, float *rstd);
cudaError_t df_launch_layernorm_backward(cudaStream_t stream, const void *dy, enum df_dtype type,
                                         const float *x, struct df_token_rows rows, int64_t dim,
                                         const float *gamma, const float *mean, const float *rstd, float *dx);

/* --- rope_tables.cu --- */

cudaError_t df_launch_rope_tables(cudaStream_t stream, const float *periods, const float *rescale,
                                  int64_t count, int64_t h, int64_t w, int64_t head_size, float *tables);

/* --- rope.cu: qkv [B, N, 3, heads, head_size] of `type` --- */

cudaError_t df_launch_rope(cudaStream_t stream, void *qkv, enum df_dtype type,
                           struct df_attention_shape shape, int64_t prefix_tokens, const float *sin,
                           const float *cos, bool inverse);

/* --- attention_forward.cu, attention_backward.cu: flash attention. bfloat16 on the tensor cores (mma),
 * float32 without. Head sizes 64 and 128, any number of tokens. --- */

cudaError_t df_launch_attention_forward(cudaStream_t stream, struct df_attention_shape shape,
                                        enum df_dtype type, const void *qkv, void *out, float *lse);
/* Bytes of scratch that the backward pass needs. */
size_t df_launch_attention_backward_scratch(struct df_attention_shape shape, enum df_dtype type);
cudaError_t df_launch_attention_backward(cudaStream_t stream, struct df_attention_shape shape,
                                         enum df_dtype type, const void *qkv, const void *out,
                                         const float *lse, const void *dout, void *dqkv, bool need_dk,
                                         void *scratch);

/* --- activation.cu --- */

cudaError_t df_launch_gelu_forward(cudaStream_t stream, const void *x, void *y, enum df_dtype type,
                                   int64_t count);
cudaError_t df_launch_gelu_backward(cudaStream_t stream, const void *x, const void *dy, void *dx,
                                    enum df_dtype type, int64_t count);
cudaError_t df_launch_swiglu_forward(cudaStream_t stream, const void *x, void *y, enum df_dtype type,
                                     int64_t rows, int64_t hidden);
cudaError_t df_launch_swiglu_backward(cudaStream_t stream, const void *x, const void *dy, void *dx,
                                      enum df_dtype type, int64_t rows, int64_t hidden);

/* --- matmul.cu: products of matrices that change (LoRA, 1x1 decoder), one side of which is thin --- */

/* c = op(a) op(b), or c += …, as df_backend_ops.matmul; each matrix float32 or bfloat16, sums in float32.
 * scratch: partial sums of a product over the long side. */
size_t df_launch_matmul_scratch(struct df_matrix a, bool transpose_a, struct df_matrix b, bool transpose_b,
                                struct df_matrix c);
cudaError_t df_launch_matmul(cudaStream_t stream, struct df_matrix a, bool transpose_a, struct df_matrix b,
                             bool transpose_b, struct df_matrix c, bool accumulate, void *scratch);

/* --- columns.cu --- */

size_t df_launch_column_sum_scratch(struct df_matrix x);
cudaError_t df_launch_column_sum(cudaStream_t stream, struct df_matrix x, float *out, void *scratch);
cudaError_t df_launch_add_bias(cudaStream_t stream, struct df_matrix x, const float *bias);
cudaError_t df_launch_dropout(cudaStream_t stream, const void *x, const struct df_dropout_draw *draw,
                              uint64_t number, double probability, void *y, enum df_dtype type, int64_t rows,
                              int64_t cols);

/* --- dora.cu --- */

cudaError_t df_launch_scale_columns(cudaStream_t stream, struct df_matrix x, const float *factors,
                                    const float *bias, const void *residual, struct df_matrix y);
cudaError_t df_launch_dora_factors(cudaStream_t stream, const struct df_dora_rows *rows, float *factors,
                                   float *excess, float *b_factors);
size_t df_launch_dora_gradient_scratch(struct df_matrix dy);
cudaError_t df_launch_dora_gradient(cudaStream_t stream, struct df_matrix dy, struct df_matrix y,
                                    const float *bias, const void *residual, const float *magnitude,
                                    float *gradient, void *scratch);

/* --- conv.cu: NHWC float32, weights [out, in, kernel, kernel], no padding, stride 1. Used where cuDNN is
 * not. --- */

cudaError_t df_launch_conv_forward(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                   const float *weight, const float *bias, float *y);
cudaError_t df_launch_conv_backward_data(cudaStream_t stream, struct df_conv_shape shape, const float *dy,
                                         const float *weight, float *dx);
size_t df_launch_conv_backward_weight_scratch(struct df_conv_shape shape);
cudaError_t df_launch_conv_backward_weight(cudaStream_t stream, struct df_conv_shape shape, const float *x,
                                           const float *dy, float *dweight, void *scratch);

/* --- batchnorm.cu --- */

size_t df_launch_batchnorm_scratch(const struct df_batchnorm *norm);
cudaError_t df_launch_batchnorm_forward(cudaStream_t stream, const struct df_batchnorm *norm, bool training,
                                        const float *x, float *y, void *scratch);
cudaError_t df_launch_batchnorm_backward(cudaStream_t stream, const struct df_batchnorm *norm, const float *x,
                                         const float *y, const float *dy, float *dx, float *dgamma,
                                         float *dbeta, void *scratch);

/* --- scale_channels.cu: an image has fewer than 2^31 elements --- */

cudaError_t df_launch_scale_channels(cudaStream_t stream, const float *x, const float *factors, int64_t batch,
                                     int64_t positions, int64_t channels, float *y);

/* --- normalize_rows.cu: a row has fewer than 2^31 elements --- */

cudaError_t df_launch_normalize_rows(cudaStream_t stream, const float *x, int64_t rows, int64_t columns,
                                     float *y);

/* --- nearest.cu --- */

cudaError_t df_launch_nearest_forward(cudaStream_t stream, const float *x, int64_t batch, int64_t h,
                                      int64_t w, float *y, int64_t height, int64_t width, int64_t channels,
                                      bool accumulate);
cudaError_t df_launch_nearest_backward(cudaStream_t stream, const float *dy, int64_t batch, int64_t height,
                                       int64_t width, float *dx, int64_t h, int64_t w, int64_t channels);

/* --- upsample_loss.cu --- */

/* The result goes to *loss, device, and to no field of *work. scratch as
 * df_launch_upsample_loss_scratch says, beside the float scratch of dinoft/backend.h, which may be used for
 * the gradient's partial sums. */
size_t df_launch_upsample_loss_scratch(const struct df_upsample_loss *work);
cudaError_t df_launch_upsample_loss(cudaStream_t stream, const struct df_upsample_loss *work,
                                    float *gradient_scratch, void *scratch, struct df_loss_sum *loss);
cudaError_t df_launch_upsample_logits(cudaStream_t stream, const float *logits, float *out, int64_t batch,
                                      int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width);

/* --- dice.cu --- */

size_t df_launch_dice_scratch(const struct df_upsample_loss *work);
cudaError_t df_launch_dice(cudaStream_t stream, const struct df_upsample_loss *work, float factor,
                           void *scratch, float *region, float *more);

/* --- lovasz.cu: at most 2^31 - 1 pixels --- */

size_t df_launch_lovasz_scratch(const struct df_upsample_loss *work);
cudaError_t df_launch_lovasz(cudaStream_t stream, const struct df_upsample_loss *work, float factor,
                             void *memory, float *slopes, float *gradient, float *more);

/* --- hard_pixels.cu --- */

size_t df_launch_hard_pixels_scratch(const struct df_upsample_loss *work);
cudaError_t df_launch_hard_pixels(cudaStream_t stream, const struct df_upsample_loss *work, float threshold,
                                  int64_t least, void *scratch, uint8_t *hard);

/* --- views.cu --- */

/* The window's weights are on the device here. */
cudaError_t df_launch_add_window(cudaStream_t stream, const struct df_window *window, const float *logits,
                                 float *canvas);
cudaError_t df_launch_add_probabilities(cudaStream_t stream, const float *logits, int64_t h, int64_t w,
                                        int64_t classes, bool mirrored, float *sum, int64_t height,
                                        int64_t width);
size_t df_launch_argmax_scratch(int64_t count);
cudaError_t df_launch_argmax(cudaStream_t stream, const float *sum, int64_t count, int64_t classes,
                             int64_t views, const uint8_t *labels, uint8_t *prediction, float *confidence,
                             void *scratch, struct df_loss_sum *loss);

/* --- confusion_matrix.cu --- */

/* matrix has to be zero before. */
cudaError_t df_launch_confusion_matrix(cudaStream_t stream, const uint8_t *prediction, const uint8_t *labels,
                                       int64_t count, int64_t classes, int64_t *matrix);

/* --- calibration.cu --- */

/* bins have to be zero before. */
cudaError_t df_launch_calibration(cudaStream_t stream, const float *confidence, const uint8_t *prediction,
                                  const uint8_t *labels, int64_t count, struct df_calibration_bin *bins);

/* --- boundary_overlap.cu --- */

/* overlap has to be zero before; scratch uint8 [height, width]. */
cudaError_t df_launch_boundary_overlap(cudaStream_t stream, const uint8_t *prediction, const uint8_t *labels,
                                       int64_t height, int64_t width, int64_t classes, int64_t reach,
                                       uint8_t *scratch, int64_t *overlap);

/* --- gradient.cu --- */

cudaError_t df_launch_add_gradient(cudaStream_t stream, const float *gradient, int64_t count,
                                   const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total);
size_t df_launch_gradient_scale_scratch(int64_t count);
cudaError_t df_launch_gradient_scale(cudaStream_t stream, const float *gradient, int64_t count,
                                     const struct df_loss_sum *total, double longest, void *scratch,
                                     struct df_gradient_scale *scale);

/* --- adamw.cu --- */

cudaError_t df_launch_adamw(cudaStream_t stream, const struct df_adamw_scalars *scalars,
                            const struct df_gradient_scale *scale, float *parameter, const float *gradient,
                            float *m, float *v, int64_t count);

/* --- moving_average.cu --- */

cudaError_t df_launch_moving_average(cudaStream_t stream, const float *value, const float *weight,
                                     float *average, int64_t count);

#ifdef __cplusplus
}
#endif

#endif
