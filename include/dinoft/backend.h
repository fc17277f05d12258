/* What a device can do: the operations that the model is written in.
 *
 * A backend is a struct of function pointers with a context. model/, pipeline/feed.c and
 * evaluation/inference.c call these and never name a device. The operations and their contracts are listed in
 * dinoft/operation_list.h. Each returns 0, or -1 with the error set; broken preconditions (shapes that do not
 * fit) are assertions. A backend is for one thread at a time.
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

/* y [M, out] = x [M, in] * weight^T + bias with frozen weights, packed once. Made by linear_create. */
struct df_linear;

/* Operations that a device has captured, to be replayed without being told one by one. NULL at first. */
struct df_graph;

/* Calls operations. 0, or -1 with the error set. */
typedef int df_backend_work(void *argument);

/* Of rows of a frozen weight W, what DoRA's factors are made of. The squared length of row i of W + B A is
 * squares[i] + 2 b[i] (A w[i]) + b[i] (A A^T) b[i]; less than a millionth of squares[i] is taken as that,
 * since there rounding is all that is left of the sum. */
struct df_dora_rows {
    struct df_matrix b;        /* float32 [rows, rank] */
    struct df_matrix products; /* float32 [rank, rows]: A W^T, times scales */
    struct df_matrix gram;     /* float32 [rank, rank]: A A^T */
    const float *squares;      /* [rows]: the squared lengths of W's rows */
    const float *scales; /* [rows] that the packed weight has in it; NULL: none. Where 0, A w counts as 0 */
    const float *magnitude; /* [rows] */
};

/* The part of a squared length below which it is not told from rounding. */
#define DF_DORA_LEAST 1e-6f

/* Rows of [B, N, D] that an operation works on: for each of `batch` images, `rows` rows from row `first` on,
 * of `tokens`. */
struct df_token_rows {
    int64_t batch, tokens, first, rows;
};

struct df_attention_shape {
    int64_t batch, tokens, heads, head_size; /* head_size 64 or 128; D = heads * head_size */
};

/* kernel x kernel convolution, stride 1. Feature maps are [B, H, W, channels], weights [out, in, kernel,
 * kernel], all float32. */
struct df_conv_shape {
    int64_t batch, height, width, in, out, kernel; /* height and width of the input */
    int64_t padding;                               /* zeros around it, less than the kernel */
};

/* The output's height, or its width, for that of the input. */
static inline int64_t df_conv_side(const struct df_conv_shape *shape, int64_t input)
{
    return input + 2 * shape->padding - shape->kernel + 1;
}

/* Per-channel normalisation of float32 [M, C]: y = (x - mean) * rstd * gamma + beta, or relu of that. */
struct df_batchnorm {
    int64_t rows, channels;
    bool relu;
    float eps, momentum;
    const float *gamma, *beta;         /* [C] */
    float *running_mean, *running_var; /* [C]; updated by the training forward pass (unbiased variance) */
    float *save_mean, *save_rstd; /* [C]; written by the training forward pass, read by the backward pass */
};

/* The loss of the pixels whose label is not 255, summed up, how many these are, and what the mean divides the
 * sum by: as much, where all pixels weigh 1. */
struct df_loss_sum {
    double sum;
    int64_t count;
    double weight;
};

/* Calibration (C. Guo et al., 2017): pixels by how sure they are, in DF_CALIBRATION_BINS equal parts of 0 to
 * 1, of which each has its upper end. Sums of integers have the same bits in whatever order: confidences are
 * rounded to 1 / DF_CONFIDENCE_UNITS. */
#define DF_CALIBRATION_BINS 15
#define DF_CONFIDENCE_UNITS 0x1p24

struct df_calibration_bin {
    int64_t pixels, right; /* and how many of them have their label's class */
    int64_t confidence;    /* the sum, in units */
};

#define DF_BOUNDARY_REACH_MAX 32767 /* pixels */

/* What a training's loss has beside -log softmax. A pixel with label y weighs class_weights[y], and its loss
 * is (1 - smoothing) * class_weights[y] * -log p[y], and smoothing / C * class_weights[c] * -log p[c] of
 * every class c, as PyTorch's cross_entropy has it. Or, without smoothing, the focal loss: class_weights[y] *
 * (1 - p[y])^gamma * -log p[y]. All of this times `pixel`; and beside it a loss of all pixels together. */
struct df_loss_terms {
    const float *class_weights; /* device [C] */
    float weight_sum;           /* of all classes */
    float smoothing;
    float gamma; /* 0: the loss is not focal */
    float pixel;
    /* Of the loss of all pixels, each NULL where it has none: how it changes with each pixel's p[c], and less
     * so much with its p[y], device [2, C]; what it is, device [1], which is added to the sum of losses; */
    const float *region, *more;
    /* and of a loss whose changes are the pixels' own, the sum of these times p, device [B, H, W], and the
     * gradient without that, device [B, h, w, C]. */
    const float *slopes, *gradient;
};

/* Logits [B, h, w, C] float32 brought to [B, height, width] bilinearly (align_corners = false) and compared
 * with labels, without ever storing the enlarged logits. */
struct df_upsample_loss {
    int64_t batch, h, w, classes, height, width;
    const float *logits;
    const uint8_t *labels;             /* [B, height, width], 255 = ignored; NULL: no loss */
    float *dlogits;                    /* [B, h, w, C]: gradient of the mean loss; NULL: none */
    const struct df_loss_terms *terms; /* host; NULL: -log softmax alone. Only beside dlogits */
    uint8_t *prediction;           /* [B, height, width]: arg max, the lowest class on a tie; NULL: none */
    uint8_t *sigmoid_prediction;   /* the same of the logits' sigmoids in float32, which tie more often: from
                                      16.64 on all are 1; NULL: none. Only beside prediction, without dlogits */
    float *confidence;             /* [B, height, width]: the largest softmax; NULL: none. Without dlogits */
    struct df_loss_sum *on_device; /* where the result stays, for who fetches it later; NULL: it goes to: */
    struct df_loss_sum loss;       /* host */
};

/* A window of `height` x `width` pixels, its corner at row `top` and column `left` of a canvas. What reaches
 * beyond the canvas on any side is left out. Windows that overlap are averaged: where n of them meet, each
 * counts 1 / n. They lie on a grid, so that the weight of a pixel is that of its row times that of its
 * column. */
struct df_window {
    int64_t h, w, classes; /* of the window's logits */
    int64_t top, left, height, width;
    int64_t canvas_height, canvas_width;
    const float *row_weight, *column_weight; /* host [height], [width] */
};

/* A batch of decoded images and masks, to be brought to height x width. */
struct df_packed_batch {
    int64_t count, height, width;
    const uint8_t *block;                 /* laid out as dinoft/packed_batch.h says */
    const struct df_packed_image *images; /* [count], RGB; device, as the block is */
    const struct df_packed_image *masks;  /* [count]; device */
    float mean[3], std[3];                /* of the pixels / 255 */
};

/* What AdamW multiplies and divides by in one step. float32, as PyTorch's scalars become where they meet
 * tensors; found in double from these settings, as Python has them: 1 - 0.999f is not 0.001f. */
struct df_adamw_scalars {
    float decay, one_minus_beta1, beta2, one_minus_beta2, step_size, bias2_sqrt, eps;
};

struct df_adamw {
    double lr, beta1, beta2, eps, weight_decay;
    int64_t step; /* from 1 on */
};

struct df_adamw_scalars df_adamw_scalars(const struct df_adamw *settings);

/* Of all gradients together. */
struct df_gradient_scale {
    float norm;   /* Euclidean, before it is clipped */
    float factor; /* gradients are multiplied by it before they are used */
};

/* Which elements dropout keeps in a step. */
struct df_dropout_draw {
    uint64_t key;
    uint64_t first_row; /* of these rows among all of the step */
};

/* What is fetched at a time, and how many may be under way. */
#define DF_FETCH_MOST  64
#define DF_FETCH_SLOTS 2

/* The table of a backend's operations; their contracts are in the list. */
struct df_backend_ops {
#define DF_ROW(type, name, parameters, arguments) type(*name) parameters;
#include "dinoft/operation_list.h"
};

#define DF_ALGORITHM_MAX 48

struct df_backend {
    const struct df_backend_ops *ops;
    const char *name;      /* "cpu", "cuda" */
    enum df_dtype compute; /* the type of "act" */
    int threads;
    bool native;    /* it has instructions for `compute`; false: that is done with others, which is slower */
    bool enqueues;  /* operations return when they are enqueued; `wait` waits for them */
    bool resizes;   /* batches are best brought here as they were decoded (dinoft/packed_batch.h) */
    bool transient; /* shapes may not come again: images are few, or have sizes of their own */
    int64_t evaluations; /* begun so far; where shapes are transient, each chooses algorithms for itself */
    char algorithm[DF_ALGORITHM_MAX]; /* by which of several ways the last operation that has them was
                                         enqueued, for who measures: "cuDNN engine 2"; who asks clears it
                                         before. "": none has been */
};

/* DF_DEVICE_CUDA_N + n is the GPU of number n. */
#define DF_DEVICES(X)                                                                                        \
    X(DF_DEVICE_AUTO, "auto")                                                                                \
    X(DF_DEVICE_CPU, "cpu") X(DF_DEVICE_CUDA, "cuda") X(DF_DEVICE_CUDA_N, "cuda:N")
#define DF_PRECISIONS(X)                                                                                     \
    X(DF_PRECISION_AUTO, "auto") X(DF_PRECISION_FP32, "fp32") X(DF_PRECISION_BF16, "bf16")
enum df_device_choice { DF_DEVICES(DF_CHOICE_ID) };
enum df_precision { DF_PRECISIONS(DF_CHOICE_ID) };

/* Opens a device; auto: the first GPU if it can be used, otherwise the CPU. Of the precisions auto
 * is bf16 where it is native, otherwise fp32. threads 0: all cores. For the caller to close. NULL with the
 * error set when the device or the precision is not to be had. */
struct df_backend *df_backend_open(enum df_device_choice device, enum df_precision precision, int threads);

/* The same in two parts, so that a GPU, which takes a second or two, is opened by another thread beside what
 * the caller does meanwhile: `end` returns what df_backend_open would have, `cancel` nothing. One of the two
 * has to be called, by the thread that begins; `is_opening` says whether it would wait. NULL with the error
 * set. */
struct df_backend_opening;
struct df_backend_opening *df_backend_begin(enum df_device_choice device, enum df_precision precision,
                                            int threads);
bool df_backend_is_opening(struct df_backend_opening *opening);
struct df_backend *df_backend_end(struct df_backend_opening *opening);
void df_backend_cancel(struct df_backend_opening *opening);

/* Closes any backend, with all that it holds. NULL is allowed. */
void df_backend_close(struct df_backend *backend);

/* The CPU backend (oneDNN, OpenMP); used by df_backend_open and tests. */
struct df_backend *df_cpu_backend_open(enum df_dtype compute, int threads);

/* The CUDA backend: the GPU of number `gpu`, from 0 on, of those that the process may see
 * (CUDA_VISIBLE_DEVICES), of compute capability 8.0 or newer, with cuBLASLt and, where it is installed,
 * cuDNN. In a build without CUDA it is always NULL. */
struct df_backend *df_cuda_backend_open(int gpu, enum df_dtype compute, int threads);

/* Makes the GPU the calling thread's current device, which has to be done before the first operation, and by
 * the thread that will call them. -1 with the error set. */
int df_cuda_backend_take(struct df_backend *backend);

enum df_cuda_presence {
    DF_CUDA_ABSENT,   /* no GPU, no driver, or a build without CUDA */
    DF_CUDA_UNUSABLE, /* a GPU, but something that it takes is missing or too old */
    DF_CUDA_READY,
};

/* Whether df_cuda_backend_open(0, …) would find what it needs; sets the error to the reason where not. */
enum df_cuda_presence df_cuda_presence(void);

/* Whether the processor multiplies bfloat16 itself, rather than have it emulated. */
bool df_cpu_bf16_is_native(void);

#endif
