/* The operations of the CPU backend, each in the file named above it; the contract of every one is in
 * dinoft/backend.h. Private to src/backend/cpu and its tests. */
#ifndef DINOFT_CPU_BACKEND_H
#define DINOFT_CPU_BACKEND_H

#include "dinoft/backend.h"

/* memory */
void *df_cpu_alloc(struct df_backend *backend, size_t bytes);
void df_cpu_free(struct df_backend *backend, void *memory);
int df_cpu_upload(struct df_backend *backend, void *device, const void *host, size_t bytes);
int df_cpu_download(struct df_backend *backend, void *host, const void *device, size_t bytes);
int df_cpu_copy(struct df_backend *backend, void *destination, const void *source, size_t bytes);
int df_cpu_zero(struct df_backend *backend, void *memory, size_t bytes);
int df_cpu_wait(struct df_backend *backend);
int df_cpu_memory(struct df_backend *backend, struct df_memory_use *use);

/* pairs.c */
int df_cpu_count_pairs(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                       int64_t count, int64_t classes, int64_t *pairs);

/* recording.c */
int df_cpu_repeat(struct df_backend *backend, struct df_recording **recording, df_backend_work *work,
                  void *argument);
void df_cpu_recording_free(struct df_backend *backend, struct df_recording *recording);

/* linear.c */
struct df_linear *df_cpu_linear_create(struct df_backend *backend, const float *weight, const float *bias,
                                       int64_t out, int64_t in, int64_t usual_rows, bool backward);
void df_cpu_linear_free(struct df_backend *backend, struct df_linear *linear);
int df_cpu_linear_bytes(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                        bool backward, size_t *bytes);
int df_cpu_linear_forward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
                          struct df_matrix y, const void *residual);
int df_cpu_linear_backward(struct df_backend *backend, const struct df_linear *linear, struct df_matrix dy,
                           struct df_matrix dx, bool accumulate);

/* matmul.c */
int df_cpu_matmul(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                  bool transpose_b, struct df_matrix c, bool accumulate);

/* tokens.c */
int df_cpu_column_sum(struct df_backend *backend, struct df_matrix x, float *out);
int df_cpu_add_bias(struct df_backend *backend, struct df_matrix x, const float *bias);
int df_cpu_image_normalize(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                           int64_t height, int64_t width, const float mean[3], const float std[3]);
int df_cpu_patchify(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                    int64_t height, int64_t width, int64_t patch);
int df_cpu_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                           const float *pos, float *x, struct df_token_rows rows, int64_t dim);
int df_cpu_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                   enum df_dtype to, int64_t count);

/* layernorm.c */
int df_cpu_layernorm_forward(struct df_backend *backend, const float *x, struct df_token_rows rows,
                             int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                             enum df_dtype type, float *mean, float *rstd);
int df_cpu_layernorm_backward(struct df_backend *backend, const void *dy, enum df_dtype type, const float *x,
                              struct df_token_rows rows, int64_t dim, const float *gamma, const float *mean,
                              const float *rstd, float *dx);

/* rope.c */
int df_cpu_rope(struct df_backend *backend, void *qkv, struct df_attention_shape shape, int64_t prefix_tokens,
                const float *sin, const float *cos, bool inverse);

/* attention.c */
int df_cpu_attention_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                             void *out, float *lse);
int df_cpu_attention_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                              const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk);

/* activation.c */
int df_cpu_gelu_forward(struct df_backend *backend, const void *x, void *y, int64_t count);
int df_cpu_gelu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count);
int df_cpu_swiglu_forward(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden);
int df_cpu_swiglu_backward(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                           int64_t hidden);

/* conv.c */
int df_cpu_conv_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                        const float *weight, const float *bias, float *y);
int df_cpu_conv_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                              const float *weight, float *dx);
int df_cpu_conv_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                const float *dy, float *dweight);

/* norm_batch.c */
int df_cpu_batchnorm_relu_forward(struct df_backend *backend, const struct df_batchnorm *norm, bool training,
                                  const float *x, float *y);
int df_cpu_batchnorm_relu_backward(struct df_backend *backend, const struct df_batchnorm *norm,
                                   const float *x, const float *y, const float *dy, float *dx, float *dgamma,
                                   float *dbeta);

/* resize_nearest.c */
int df_cpu_nearest_forward(struct df_backend *backend, const float *x, int64_t batch, int64_t h, int64_t w,
                           float *y, int64_t height, int64_t width, int64_t channels, bool accumulate);
int df_cpu_nearest_backward(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                            int64_t width, float *dx, int64_t h, int64_t w, int64_t channels);

/* loss.c */
int df_cpu_upsample_loss(struct df_backend *backend, struct df_upsample_loss *work, float *scratch);
int df_cpu_upsample_logits(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                           int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width);

/* views.c */
int df_cpu_add_window(struct df_backend *backend, const struct df_window *window, const float *logits,
                      float *canvas);
int df_cpu_add_probabilities(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                             int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width);
int df_cpu_decide(struct df_backend *backend, const float *sum, int64_t count, int64_t classes, int64_t views,
                  const uint8_t *labels, uint8_t *prediction, double *loss_sum, int64_t *loss_count);

/* optimizer.c */
int df_cpu_adamw(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                 const float *gradient, float *m, float *v, int64_t count);

#endif
