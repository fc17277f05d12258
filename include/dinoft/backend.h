/* What a device can do: the operations that the model is written in.
 *
 * A backend is a struct of function pointers with a context. model/, pipeline/feed.c and
 * evaluation/inference.c call these and never name a device. Every operation returns 0 or -1 with the error
 * set; broken preconditions (shapes that do not fit) are assertions.
 *
 * Types. "act" is the backend's compute type (backend->compute, DF_F32 or DF_BF16): activations that feed
 * matrix products. The residual stream, statistics, logits, master weights and gradients of trained tensors
 * are float32. Pointers are to the device's memory unless a comment says "host".
 *
 * Names of dimensions: B images, T tokens before the patches (class + registers), P = h * w patches, N = T +
 * P, D channels, M rows, C classes, p patch size. */
#ifndef DINOFT_BACKEND_H
#define DINOFT_BACKEND_H

#include "dinoft/choice.h"
#include "dinoft/dtype.h"
#include "dinoft/labels.h"
#include "dinoft/packed_batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct df_backend;

/* A matrix [rows, cols], or a block of columns of one: row i starts at data + i * ld elements. */
struct df_matrix {
    void *data;
    enum df_dtype type; /* DF_F32 or the backend's compute type */
    int64_t rows, cols, ld;
};

/* What a backend has taken of its device's memory for buffers and weights, and what the device has. */
struct df_memory_use {
    size_t taken, most_taken; /* now, and at most so far; 0: not counted (the CPU's is the process's own) */
    size_t available, total;  /* SIZE_MAX: not known */
};

/* y [rows, out] = x [rows, in] * weight^T + bias with frozen weights, packed once. Made by linear_create. */
struct df_linear;

/* Operations that a device has taken down, to be run again without being told one by one. */
struct df_recording;

/* Calls operations. */
typedef int df_backend_work(void *argument);

/* Rows of [B, N, D] that an operation works on: for each of `batch` images, `rows` rows from row `first` on.
 */
struct df_token_rows {
    int64_t batch, tokens, first, rows;
};

struct df_attention_shape {
    int64_t batch, tokens, heads, head_size; /* head_size 64 or 128; D = heads * head_size */
};

/* kernel x kernel convolution, stride 1, no padding. Feature maps are NHWC, weights [out, in, kernel,
 * kernel]. */
struct df_conv_shape {
    int64_t batch, height, width, in, out, kernel; /* height and width of the input */
};

/* Per-channel normalisation of [M, C]: y = relu((x - mean) * rstd * gamma + beta). */
struct df_batchnorm {
    int64_t rows, channels;
    float eps, momentum;
    const float *gamma, *beta;         /* [C] */
    float *running_mean, *running_var; /* [C]; updated by the training forward pass (unbiased variance) */
    float *save_mean, *save_rstd; /* [C]; written by the training forward pass, read by the backward pass */
};

/* The sum of -log softmax over the pixels whose label is not 255, and how many these are. */
struct df_loss_sum {
    double sum;
    int64_t count;
};

/* Logits [B, h, w, C] float32 brought to [B, height, width] bilinearly (align_corners = false) and compared
 * with labels, without ever storing the enlarged logits. */
struct df_upsample_loss {
    int64_t batch, h, w, classes, height, width;
    const float *logits;
    const uint8_t *labels;         /* [B, height, width], 255 = ignored; NULL: no loss */
    float *dlogits;                /* [B, h, w, C]: gradient of the mean loss; NULL: none */
    uint8_t *prediction;           /* [B, height, width]: arg max, the lowest class on a tie; NULL: none */
    struct df_loss_sum *on_device; /* where the result stays, for who fetches it later; NULL: it goes to: */
    struct df_loss_sum loss;       /* host */
};

/* A window of a canvas. Windows that overlap are averaged: where n of them meet, each counts 1 / n. They lie
 * on a grid, so that the weight of a pixel is that of its row times that of its column. */
struct df_window {
    int64_t h, w, classes; /* of the window's logits */
    int64_t top, left, height, width;
    int64_t canvas_width;
    const float *row_weight, *column_weight; /* host [height], [width] */
};

/* A batch of decoded images and masks, to be brought to height x width. */
struct df_packed_batch {
    int64_t count, height, width;
    const uint8_t *block;
    const struct df_packed_image *images; /* [count], RGB; device, as the block is */
    const struct df_packed_image *masks;  /* [count] */
    float mean[3], std[3];
};

struct df_adamw {
    double lr, beta1, beta2, eps, weight_decay; /* double, as Python has them: 1 - 0.999f is not 0.001f */
    int64_t step;                               /* from 1 on */
};

struct df_backend_ops {
    void (*close)(struct df_backend *backend);

    /* --- memory: `alloc` aligns to 64 bytes and sets nothing; NULL when there is no more, with the error set
     * --- */
    void *(*alloc)(struct df_backend *backend, size_t bytes);
    void (*free)(struct df_backend *backend, void *memory);
    int (*upload)(struct df_backend *backend, void *device, const void *host, size_t bytes);
    int (*download)(struct df_backend *backend, void *host, const void *device, size_t bytes);
    int (*copy)(struct df_backend *backend, void *destination, const void *source, size_t bytes);
    int (*zero)(struct df_backend *backend, void *memory, size_t bytes);
    /* Operations may return before their work is done. This returns when all of it is, and tells of failures
     * that came up on the way. Results on the host are complete without it. */
    int (*wait)(struct df_backend *backend);
    int (*memory)(struct df_backend *backend, struct df_memory_use *use);

    /* Does what work(argument) does. A device may take the operations down while they are called for the
     * second time, and from then on run them without calling `work`; so they must be the same each time, on
     * the same memory, and none may bring anything from or to the host. *recording: NULL at first. */
    int (*repeat)(struct df_backend *backend, struct df_recording **recording, df_backend_work *work,
                  void *argument);
    void (*recording_free)(struct df_backend *backend, struct df_recording *recording); /* NULL is allowed */

    /* --- batches on their way to a device with memory of its own: NULL where backend->resizes is false ---
     */

    /* Memory of the host's that the device reads by itself. NULL with the error set. */
    void *(*host_alloc)(struct df_backend *backend, size_t bytes);
    void (*host_free)(struct df_backend *backend, void *memory);
    /* Begins to copy from such memory, beside the operations that are under way; it only waits for the last
     * resize_batch, which may still read what is written over. */
    int (*send)(struct df_backend *backend, void *device, const void *host, size_t bytes);
    /* Returns when the host's memory has been read by all that was sent. */
    int (*sent)(struct df_backend *backend);
    /* Images as df_resize_linear makes them, normalised like image_normalize: image float32 [count, 3, H, W].
     * Masks as df_resize_nearest does: labels [count, H, W]. After what was sent before. */
    int (*resize_batch)(struct df_backend *backend, const struct df_packed_batch *batch, float *image,
                        uint8_t *labels);

    /* --- matrix products --- */

    /* weight [out, in] and bias [out] (or NULL) are float32 on the host, copied and packed. `backward` also
     * packs what linear_backward needs. usual_rows is the number of rows that the layout is chosen for;
     * others are possible. NULL on failure. */
    struct df_linear *(*linear_create)(struct df_backend *backend, const float *weight, const float *bias,
                                       int64_t out, int64_t in, int64_t usual_rows, bool backward);
    void (*linear_free)(struct df_backend *backend, struct df_linear *linear);
    /* What linear_create would take for the weight of the one direction or the other, without packing any. */
    int (*linear_bytes)(struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows,
                        bool backward, size_t *bytes);
    /* y = x W^T + b + residual, which has y's type and layout, and may be y itself (NULL: nothing is added).
     * Here and below x (dy) and y (dx) are act or float32; a float32 x is rounded to act first. A backend may
     * round the bias to y's type. */
    int (*linear_forward)(struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
                          struct df_matrix y, const void *residual);
    /* dx = dy W, or dx += dy W. */
    int (*linear_backward)(struct df_backend *backend, const struct df_linear *linear, struct df_matrix dy,
                           struct df_matrix dx, bool accumulate);
    /* c = op(a) op(b), or c += …; op transposes where the flag says so. For weights that change (LoRA,
     * decoder). Each matrix is act or float32; act is widened, nothing is rounded but the result. */
    int (*matmul)(struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
                  bool transpose_b, struct df_matrix c, bool accumulate);
    /* out [cols] = sum over the rows of x (the gradient of a bias). */
    int (*column_sum)(struct df_backend *backend, struct df_matrix x, float *out);
    /* x [rows, cols] float32 += bias [cols]. */
    int (*add_bias)(struct df_backend *backend, struct df_matrix x, const float *bias);

    /* --- the vision transformer --- */

    /* pixels uint8 [B, H, W, 3] -> image float32 [B, 3, H, W] = (pixel / 255 - mean) / std; mean, std host
     * [3]. */
    int (*image_normalize)(struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch,
                           int64_t height, int64_t width, const float mean[3], const float std[3]);
    /* image float32 [B, 3, H, W] -> patches act [B * P, 3 * p * p], a row in the order (channel, y, x). */
    int (*patchify)(struct df_backend *backend, const float *image, void *patches, int64_t batch,
                    int64_t height, int64_t width, int64_t patch);
    /* x float32 [B, N, D]: rows 0..T-1 = prefix [T, D]; the others = patches [B, P, D] + pos [P, D] (NULL:
     * none). */
    int (*assemble_tokens)(struct df_backend *backend, const float *patches, const float *prefix,
                           const float *pos, float *x, struct df_token_rows rows, int64_t dim);
    /* The chosen rows of x float32 [B, N, D] -> y [B * rows, D], act or float32, contiguous; mean, rstd
     * [B * rows], or both NULL. */
    int (*layernorm_forward)(struct df_backend *backend, const float *x, struct df_token_rows rows,
                             int64_t dim, const float *gamma, const float *beta, float eps, void *y,
                             enum df_dtype type, float *mean, float *rstd);
    /* dx float32 [B, N, D] (the chosen rows) += gradient through the normalisation of dy [B * rows, D], act
     * or float32. */
    int (*layernorm_backward)(struct df_backend *backend, const void *dy, enum df_dtype type, const float *x,
                              struct df_token_rows rows, int64_t dim, const float *gamma, const float *mean,
                              const float *rstd, float *dx);
    /* Rotates q and k of the patch tokens in place: qkv act [B, N, 3, heads, head_size]; sin, cos [P,
     * head_size]. `inverse` rotates back, which is the gradient. */
    int (*rope)(struct df_backend *backend, void *qkv, struct df_attention_shape shape, int64_t prefix_tokens,
                const float *sin, const float *cos, bool inverse);
    /* qkv act [B, N, 3, heads, head_size] -> out act [B, N, D]; lse float32 [B, heads, N], log of the row's
     * sum of exponentials of scaled scores (NULL in evaluation). Scale 1 / sqrt(head_size). */
    int (*attention_forward)(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                             void *out, float *lse);
    /* dqkv act from dout act [B, N, D]. need_dk false leaves the k third of dqkv undefined and saves its
     * product. */
    int (*attention_backward)(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                              const void *out, const float *lse, const void *dout, void *dqkv, bool need_dk);
    /* y = gelu(x), exact erf form; act [count]. */
    int (*gelu_forward)(struct df_backend *backend, const void *x, void *y, int64_t count);
    /* dx = dy * gelu'(x); dx may be dy. */
    int (*gelu_backward)(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count);
    /* x act [M, 2 * hidden] = [x1, x2] -> y act [M, hidden] = silu(x1) * x2. */
    int (*swiglu_forward)(struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden);
    /* dx act [M, 2 * hidden] from dy act [M, hidden]; dx may be x. */
    int (*swiglu_backward)(struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
                           int64_t hidden);
    /* destination (type to) = source (type from), count elements. */
    int (*convert)(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                   enum df_dtype to, int64_t count);

    /* --- decoders: maps are float32 whatever act is. A pyramid of bfloat16 maps loses its gradients (their
     * cosine with float32's falls below 0.9), and computing them is little work. --- */

    /* x [B, H, W, in] -> y [B, H-k+1, W-k+1, out]; weight [out, in, k, k]; bias [out] or
     * NULL. */
    int (*conv_forward)(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                        const float *weight, const float *bias, float *y);
    /* dx [B, H, W, in] = gradient of x. */
    int (*conv_backward_data)(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                              const float *weight, float *dx);
    /* dweight [out, in, k, k] = gradient of the weights. */
    int (*conv_backward_weight)(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                const float *dy, float *dweight);
    /* x [M, C] -> y [M, C]; statistics of x when training, the running ones otherwise. */
    int (*batchnorm_relu_forward)(struct df_backend *backend, const struct df_batchnorm *norm, bool training,
                                  const float *x, float *y);
    /* dx [M, C] (may be dy), dgamma [C], dbeta [C] from dy [M, C], the input x and the output y of
     * the training forward pass. */
    int (*batchnorm_relu_backward)(struct df_backend *backend, const struct df_batchnorm *norm,
                                   const float *x, const float *y, const float *dy, float *dx, float *dgamma,
                                   float *dbeta);
    /* y [B, H, W, C] (+)= x [B, h, w, C] resized by nearest neighbour: source index
     * min((int)floorf(i * ((float)h / H)), h - 1), as PyTorch computes it. */
    int (*nearest_forward)(struct df_backend *backend, const float *x, int64_t batch, int64_t h, int64_t w,
                           float *y, int64_t height, int64_t width, int64_t channels, bool accumulate);
    /* dx [B, h, w, C] = the sums of dy [B, H, W, C] over the pixels that read it. */
    int (*nearest_backward)(struct df_backend *backend, const float *dy, int64_t batch, int64_t height,
                            int64_t width, float *dx, int64_t h, int64_t w, int64_t channels);
    /* Fills what is asked for in *work; scratch [2 * B * h * w * C] float32 is needed when dlogits is. */
    int (*upsample_loss)(struct df_backend *backend, struct df_upsample_loss *work, float *scratch);
    /* logits float32 [B, h, w, C] -> out float32 [B, C, height, width]. */
    int (*upsample_logits)(struct df_backend *backend, const float *logits, float *out, int64_t batch,
                           int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width);

    /* --- averages over windows and views of one image --- */

    /* canvas float32 [canvas height, canvas width, C] += weight * logits [h, w, C], enlarged bilinearly to a
     * window of it. */
    int (*add_window)(struct df_backend *backend, const struct df_window *window, const float *logits,
                      float *canvas);
    /* sum float32 [height, width, C] += softmax of logits float32 [h, w, C] enlarged bilinearly to that size;
     * mirrored: left and right of logits change sides. */
    int (*add_probabilities)(struct df_backend *backend, const float *logits, int64_t h, int64_t w,
                             int64_t classes, bool mirrored, float *sum, int64_t height, int64_t width);
    /* From sum float32 [count, C] of `views` softmaxes: prediction [count] (arg max, the lowest class on a
     * tie), and with labels [count] (NULL: none) the sum of -log of the labels' mean probability, host, over
     * pixels that are not 255. */
    int (*decide)(struct df_backend *backend, const float *sum, int64_t count, int64_t classes, int64_t views,
                  const uint8_t *labels, uint8_t *prediction, double *loss_sum, int64_t *loss_count);

    /* pairs int64 [classes + 1, classes]: pixels of each label (row; the last one is DF_IGNORE_LABEL's) and
     * prediction (column); prediction, labels [count]. */
    int (*count_pairs)(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                       int64_t count, int64_t classes, int64_t *pairs);

    /* --- the optimiser --- */

    /* PyTorch's AdamW on one tensor; m and v are its first and second moments. */
    int (*adamw)(struct df_backend *backend, const struct df_adamw *settings, float *parameter,
                 const float *gradient, float *m, float *v, int64_t count);
};

struct df_backend {
    const struct df_backend_ops *ops;
    const char *name;      /* "cpu", "cuda" */
    enum df_dtype compute; /* the type of "act" */
    int threads;
    bool native;   /* it has instructions for `compute`; false: that is done with others, which is slower */
    bool enqueues; /* operations return when they are enqueued; `wait` waits for them */
    bool resizes;  /* batches are best brought here as they were decoded (dinoft/packed_batch.h) */
};

#define DF_DEVICES(X) X(DF_DEVICE_AUTO, "auto") X(DF_DEVICE_CPU, "cpu") X(DF_DEVICE_CUDA, "cuda")
#define DF_PRECISIONS(X)                                                                                     \
    X(DF_PRECISION_AUTO, "auto") X(DF_PRECISION_FP32, "fp32") X(DF_PRECISION_BF16, "bf16")
enum df_device_choice { DF_DEVICES(DF_CHOICE_ID) };
enum df_precision { DF_PRECISIONS(DF_CHOICE_ID) };

/* Opens a device; auto: the GPU if there is one that can be used, otherwise the CPU. Of the precisions auto
 * is bf16 where it is native, otherwise fp32. threads 0: all cores. NULL with the error set when the device
 * or the precision is not to be had. */
struct df_backend *df_backend_open(enum df_device_choice device, enum df_precision precision, int threads);

/* NULL is allowed. */
void df_backend_close(struct df_backend *backend);

/* The CPU backend (oneDNN, OpenMP); used by df_backend_open and tests. */
struct df_backend *df_cpu_backend_open(enum df_dtype compute, int threads);

/* The CUDA backend: the first GPU that the process may see (CUDA_VISIBLE_DEVICES), of compute capability 8.0
 * or newer, with cuBLASLt and, where it is installed, cuDNN. In a build without CUDA it is always NULL. */
struct df_backend *df_cuda_backend_open(enum df_dtype compute, int threads);

enum df_cuda_presence {
    DF_CUDA_ABSENT,   /* no GPU, no driver, or a build without CUDA */
    DF_CUDA_UNUSABLE, /* a GPU, but something that it takes is missing or too old */
    DF_CUDA_READY,
};

/* Whether df_cuda_backend_open() would find what it needs; sets the error to the reason where not. */
enum df_cuda_presence df_cuda_presence(void);

/* Whether the processor multiplies bfloat16 itself, rather than have it emulated. */
bool df_cpu_bf16_is_native(void);

#endif
