/* The operations of the CUDA backend, each in the file named above it; the contract of every one is in
 * dinoft/backend.h. They hand their work to the kernels of the same name (kernels/kernels.h) or to a library.
 * Private to src/backend/cuda and its tests. */
#ifndef DINOFT_CUDA_BACKEND_H
#define DINOFT_CUDA_BACKEND_H

#include "dinoft/backend.h"

/* memory.c */
void *df_cuda_op_alloc(struct df_backend *backend, size_t bytes);
void df_cuda_op_free(struct df_backend *backend, void *memory);
int df_cuda_op_upload(struct df_backend *backend, void *device, const void *host, size_t bytes);
int df_cuda_op_download(struct df_backend *backend, void *host, const void *device, size_t bytes);
int df_cuda_op_copy(struct df_backend *backend, void *destination, const void *source, size_t bytes);
int df_cuda_op_zero(struct df_backend *backend, void *memory, size_t bytes);
int df_cuda_op_wait(struct df_backend *backend);
int df_cuda_op_memory(struct df_backend *backend, struct df_memory_use *use);

/* recording.c */
int df_cuda_op_repeat(struct df_backend *backend, struct df_recording **recording, df_backend_work *work,
                      void *argument);
void df_cuda_op_recording_free(struct df_backend *backend, struct df_recording *recording);

/* batches.c */
void *df_cuda_op_host_alloc(struct df_backend *backend, size_t bytes);
void df_cuda_op_host_free(struct df_backend *backend, void *memory);
int df_cuda_op_send(struct df_backend *backend, void *device, const void *host, size_t bytes);
int df_cuda_op_sent(struct df_backend *backend);
int df_cuda_op_resize_batch(struct df_backend *backend, const struct df_packed_batch *batch, float *image,
                            uint8_t *labels);

/* linear.c */
struct df_linear *df_cuda_op_linear_create(struct df_backend *backend, const float *weight, const float *bias,
                                           int64_t out, int64_t in, int64_t usual_rows, bool backward);
void df_cuda_op_linear_free(struct df_backend *backend, struct df_linear *linear);
int df_cuda_op_linear_bytes(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                            bool backward, size_t *bytes);
int df_cuda_op_linear_forward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
                              struct df_matrix y, const void *residual);
int df_cuda_op_linear_backward(struct df_backend *backend, const struct df_linear *linear,
                               struct df_matrix dy, struct df_matrix dx, bool accumulate);

/* matmul.c */
int df_cuda_op_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                      bool transpose_b, struct df_matrix c, bool accumulate);

/* tokens.c */
int df_cuda_op_column_sum(struct df_backend *backend, struct df_matrix x, float *out);
int df_cuda_op_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias);
int df_cuda_op_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                               int64_t height, int64_t width, const float mean[3], const float std[3]);
int df_cuda_op_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                        int64_t height, int64_t width, int64_t patch);
int df_cuda_op_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                               const float *pos, float *x, struct df_token_rows rows, int64_t dim);
int df_cuda_op_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                       enum df_dtype to, int64_t count);

/* layernorm.c */
int df_cuda_op_layernorm_forward(struct df_backend *backend, const float *x, struct df_token_rows rows,
                                 int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                                 enum df_dtype type, float *mean, float *rstd);
int df_cuda_op_layernorm_backward(struct df_backend *backend, const void *dy, enum df_dtype type,
                                  const float *x, struct df_token_rows rows, int64_t dim, const float *gamma,
                                  const float *mean, const float *rstd, float *dx);

/* rope.c */
int df_cuda_op_rope(struct df_backend *backend, void *qkv, struct df_attention_shape shape,
                    int64_t prefix_tokens, const float *sin, const float *cos, bool inverse);

/* attention.c */
int df_cuda_op_attention_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                 void *out, float *lse);
int df_cuda_op_attention_backward(struct df_backend *backend, struct df_attention_shape shape,
                                  const void *qkv, const void *out, const float *lse, const void *dout,
                                  void *dqkv, bool need_dk);

/* activation.c */
int df_cuda_op_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count);
int df_cuda_op_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx,
                             int64_t count);
int df_cuda_op_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows,
                              int64_t hidden);
int df_cuda_op_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx,
                               int64_t rows, int64_t hidden);

/* conv.c */
int df_cuda_op_conv_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                            const float *weight, const float *bias, float *y);
int df_cuda_op_conv_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                                  const float *weight, float *dx);
int df_cuda_op_conv_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                    const float *dy, float *dweight);

/* norm_batch.c */
int df_cuda_op_batchnorm_relu_forward(struct df_backend *backend, const struct df_batchnorm *norm,
                                      bool training, const float *x, float *y);
int df_cuda_op_batchnorm_relu_backward(struct df_backend *backend, const struct df_batchnorm *norm,
                                       const float *x, const float *y, const float *dy, float *dx,
                                       float *dgamma, float *dbeta);

/* resize_nearest.c */
int df_cuda_op_nearest_forward(struct df_backend *backend, const float *x, int64_t batch, int64_t h,
                               int64_t w, float *y, int64_t height, int64_t width, int64_t channels,
                               bool accumulate);
int df_cuda_op_nearest_backward(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                                int64_t width, float *dx, int64_t h, int64_t w, int64_t channels);

/* loss.c */
int df_cuda_op_upsample_loss(struct df_backend *backend, struct df_upsample_loss *work, float *scratch);
int df_cuda_op_upsample_logits(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                               int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width);

/* views.c */
int df_cuda_op_add_window(struct df_backend *backend, const struct df_window *window, const float *logits,
                          float *canvas);
int df_cuda_op_add_probabilities(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                                 int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width);
int df_cuda_op_decide(struct df_backend *backend, const float *sum, int64_t count, int64_t classes,
                      int64_t views, const uint8_t *labels, uint8_t *prediction, double *loss_sum,
                      int64_t *loss_count);

/* pairs.c */
int df_cuda_op_count_pairs(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                           int64_t count, int64_t classes, int64_t *pairs);

/* optimizer.c */
int df_cuda_op_adamw(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                     const float *gradient, float *m, float *v, int64_t count);

#endif
