/* Every operation of a backend, each once: its contract, its parameters and its arguments. This file is
 * included for what is made of the list, so it has no guard: the table's type (dinoft/backend.h), each
 * backend's functions and table, and what reads or wraps operations (dinoft/work.h, the profiler). Who
 * includes it defines the rows that it wants, which are undefined at the end:
 *
 *   DF_OPERATION(name, parameters, arguments)      work on tensors, timed and counted: it needs df_work_NAME
 *                                                  and df_cases_NAME. Returns 0, or -1 with the error set.
 *   DF_SERVICE(type, name, parameters, arguments)  what makes ready for work, and returns a value (an int: 0,
 *                                                  or -1 with the error set)
 *   DF_RELEASE(name, parameters, arguments)        what gives something back, and cannot fail
 *   DF_CONTROL(type, name, parameters, arguments)  what also a backend over another one does by itself
 *   DF_ROW(type, name, parameters, arguments)      any of the four that is not defined
 *
 * The words of the contracts (act, host, B, N, D …) are explained in dinoft/backend.h, which has the types.
 * Tensors are contiguous, and the caller's. They have to stay until the work is done, those of a graph as
 * long as it; host memory, but what is sent, has been read on return. "a -> b" overwrites all of b. No two
 * tensors of a call overlap, and none is NULL, but where that is said. A `count` may be 0.
 *
 * A new operation: docs/adding-an-operation.md. */

#ifdef DF_ROW
#ifndef DF_OPERATION
#define DF_OPERATION(name, parameters, arguments) DF_ROW(int, name, parameters, arguments)
#endif
#ifndef DF_SERVICE
#define DF_SERVICE(type, name, parameters, arguments) DF_ROW(type, name, parameters, arguments)
#endif
#ifndef DF_RELEASE
#define DF_RELEASE(name, parameters, arguments) DF_ROW(void, name, parameters, arguments)
#endif
#ifndef DF_CONTROL
#define DF_CONTROL(type, name, parameters, arguments) DF_ROW(type, name, parameters, arguments)
#endif
#endif
#ifndef DF_OPERATION
#define DF_OPERATION(name, parameters, arguments)
#endif
#ifndef DF_SERVICE
#define DF_SERVICE(type, name, parameters, arguments)
#endif
#ifndef DF_RELEASE
#define DF_RELEASE(name, parameters, arguments)
#endif
#ifndef DF_CONTROL
#define DF_CONTROL(type, name, parameters, arguments)
#endif

/* The formatter would take the first asterisk of a row for a product's. */
/* clang-format off */

/* Gives back all that the backend holds, and the backend. */
DF_CONTROL(void, close, (struct df_backend *backend), (backend))

/* --- memory --- */

/* Memory of the device, for the caller to free. Aligned to 64 bytes, with nothing set. NULL with the error
 * set when there is no more. */
DF_SERVICE(void *, alloc, (struct df_backend *backend, size_t bytes), (backend, bytes))
/* NULL is allowed, here and in the other ..._free. */
DF_RELEASE(free, (struct df_backend *backend, void *memory), (backend, memory))
/* From any memory of the host, or to it; on return it has been read, or has the result. */
DF_OPERATION(upload, (struct df_backend *backend, void *device, const void *host, size_t bytes),
             (backend, device, host, bytes))
DF_OPERATION(download, (struct df_backend *backend, void *host, const void *device, size_t bytes),
             (backend, host, device, bytes))
/* Both on the device. */
DF_OPERATION(copy, (struct df_backend *backend, void *destination, const void *source, size_t bytes),
             (backend, destination, source, bytes))
DF_OPERATION(zero, (struct df_backend *backend, void *memory, size_t bytes), (backend, memory, bytes))

/* Operations may return before their work is done. This returns when all of it is, and tells of failures
 * that came up on the way. Results on the host are complete without it. */
DF_SERVICE(int, wait, (struct df_backend *backend), (backend))
/* A result of at most DF_FETCH_MOST bytes on its way to the host, behind the operations that were asked for
 * before and beside those that come: `fetched` waits for what `fetch` began in this slot, 0 to DF_FETCH_SLOTS
 * - 1, and copies it to the host. */
DF_SERVICE(int, fetch, (struct df_backend *backend, int slot, const void *device, size_t bytes),
           (backend, slot, device, bytes))
DF_SERVICE(int, fetched, (struct df_backend *backend, int slot, void *host, size_t bytes),
           (backend, slot, host, bytes))
/* Fills in *use (host). */
DF_SERVICE(int, memory, (struct df_backend *backend, struct df_memory_use *use), (backend, use))

/* Does what work(argument) does. A device may capture the operations into a graph when they are called
 * for the second time, and from then on replay it without calling `work`; so they must be the same each
 * time, on the same memory, and none may bring anything from or to the host. *graph: NULL at first; to be
 * given to graph_free. -1 with the error set when one of the operations, or `work`, failed. */
DF_CONTROL(int, graph_replay,
           (struct df_backend *backend, struct df_graph **graph, df_backend_work *work, void *argument),
           (backend, graph, work, argument))
DF_RELEASE(graph_free, (struct df_backend *backend, struct df_graph *graph), (backend, graph))

/* --- batches on their way to a device with memory of its own: NULL where backend->resizes is false, in a
 * table that defines DF_NO_BATCHES --- */

#ifndef DF_NO_BATCHES

/* Memory of the host's that the device reads by itself, for the caller to give to host_free. NULL with the
 * error set. */
DF_SERVICE(void *, host_alloc, (struct df_backend *backend, size_t bytes), (backend, bytes))
DF_RELEASE(host_free, (struct df_backend *backend, void *memory), (backend, memory))

/* Begins to copy from such memory, beside the operations that are under way; it only waits for the last
 * resize_batch, which may still read what is written over. */
DF_OPERATION(send, (struct df_backend *backend, void *device, const void *host, size_t bytes),
             (backend, device, host, bytes))

/* Returns when the host's memory has been read by all that was sent. */
DF_SERVICE(int, sent, (struct df_backend *backend), (backend))

/* Images as df_resize_linear makes them, normalised like image_normalize: image float32 [count, 3, H, W].
 * Masks as df_resize_nearest does: labels [count, H, W]. After what was sent before. */
DF_OPERATION(resize_batch,
             (struct df_backend *backend, const struct df_packed_batch *batch, float *image,
              uint8_t *labels),
             (backend, batch, image, labels))

#endif

/* --- matrix products --- */

/* weight [out, in] and bias [out] (or NULL) are float32 on the host, copied and packed. `backward` also
 * packs what linear_backward needs. usual_rows is the number of rows that the layout is chosen for;
 * others are possible. For the caller to give to linear_free. NULL with the error set. */
DF_SERVICE(struct df_linear *, linear_create,
           (struct df_backend *backend, const float *weight, const float *bias, int64_t out, int64_t in,
            int64_t usual_rows, bool backward),
           (backend, weight, bias, out, in, usual_rows, backward))
DF_RELEASE(linear_free, (struct df_backend *backend, struct df_linear *linear), (backend, linear))

/* What linear_create would take for the weight of the one direction or the other, without packing any. */
DF_SERVICE(int, linear_bytes,
           (struct df_backend *backend, int64_t out, int64_t in, int64_t usual_rows, bool backward,
            size_t *bytes),
           (backend, out, in, usual_rows, backward, bytes))

/* x [M, in], y [M, out]: y = x W^T + b + residual, which has y's type and layout, and may be y itself (NULL:
 * nothing is added).
 * Here and below x (dy) and y (dx) are act or float32; a float32 x is rounded to act first. A backend may
 * round the bias to y's type. */
DF_OPERATION(linear_forward,
             (struct df_backend *backend, const struct df_linear *linear, struct df_matrix x,
              struct df_matrix y, const void *residual),
             (backend, linear, x, y, residual))

/* dy [M, out], dx [M, in]: dx = dy W, or dx += dy W. For a layer that was made with `backward`. */
DF_OPERATION(linear_backward,
             (struct df_backend *backend, const struct df_linear *linear, struct df_matrix dy,
              struct df_matrix dx, bool accumulate),
             (backend, linear, dy, dx, accumulate))

/* c = op(a) op(b), or c += …; op transposes where the flag says so. For weights that change (LoRA,
 * decoder). Each matrix is act or float32; act is widened, nothing is rounded but the result. */
DF_OPERATION(matmul,
             (struct df_backend *backend, struct df_matrix a, bool transpose_a, struct df_matrix b,
              bool transpose_b, struct df_matrix c, bool accumulate),
             (backend, a, transpose_a, b, transpose_b, c, accumulate))

/* out float32 [cols] = sum over the rows of x, act or float32 (the gradient of a bias). */
DF_OPERATION(column_sum, (struct df_backend *backend, struct df_matrix x, float *out), (backend, x, out))

/* x [rows, cols] float32 += bias float32 [cols]. */
DF_OPERATION(add_bias, (struct df_backend *backend, struct df_matrix x, const float *bias),
             (backend, x, bias))

/* x act [rows, cols] -> y act [rows, cols], which may be x: each element is 0 with this probability, else x / (1 -
 * probability). Which are, depends on draw (device), the stream and the element's place. 0 < probability < 1. */
DF_OPERATION(dropout,
             (struct df_backend *backend, const void *x, const struct df_dropout_draw *draw, uint64_t stream,
              double probability, void *y, int64_t rows, int64_t cols),
             (backend, x, draw, stream, probability, y, rows, cols))

/* x [M, N] -> y [M, N] = x * factors [N] + bias [N] (NULL: none) + residual, which has y's type and layout (NULL:
 * none): of each column. x and y act or float32; y may be x, and residual y. factors, bias float32. */
DF_OPERATION(scale_columns,
             (struct df_backend *backend, struct df_matrix x, const float *factors, const float *bias,
              const void *residual, struct df_matrix y),
             (backend, x, factors, bias, residual, y))

/* DoRA's factors of `rows` (struct df_dora_rows), each float32 [rows]: what makes the rows of W + B A as long as
 * their magnitudes, factors = magnitude / length, and 0 where the length is 0; excess = factors - 1; and b_factors =
 * factors * scales, for B in a layer that has the scales in it. */
DF_OPERATION(dora_factors,
             (struct df_backend *backend, const struct df_dora_rows *rows, float *factors, float *excess,
              float *b_factors),
             (backend, rows, factors, excess, b_factors))

/* gradient float32 [N] of DoRA's magnitudes float32 [N]: the sum over the rows of dy * (y - bias - residual), divided
 * by the magnitude, and 0 where that is 0. dy, y [M, N] act or float32; bias [N] and residual, of y's type and
 * layout, or NULL: as scale_columns made y. */
DF_OPERATION(dora_gradient,
             (struct df_backend *backend, struct df_matrix dy, struct df_matrix y, const float *bias,
              const void *residual, const float *magnitude, float *gradient),
             (backend, dy, y, bias, residual, magnitude, gradient))

/* --- the vision transformer --- */

/* pixels uint8 [B, H, W, 3] -> image float32 [B, 3, H, W] = (pixel / 255 - mean) / std; mean, std host
 * [3]. */
DF_OPERATION(image_normalize,
             (struct df_backend *backend, const uint8_t *pixels, float *image, int64_t batch, int64_t height,
              int64_t width, const float mean[3], const float std[3]),
             (backend, pixels, image, batch, height, width, mean, std))

/* image float32 [B, 3, H, W] -> patches act [B * P, 3 * p * p], a row in the order (channel, y, x). */
DF_OPERATION(patchify,
             (struct df_backend *backend, const float *image, void *patches, int64_t batch, int64_t height,
              int64_t width, int64_t patch),
             (backend, image, patches, batch, height, width, patch))

/* x float32 [B, N, D]: rows 0..T-1 = prefix [T, D]; the others, which `rows` names, = patches [B, P, D] +
 * pos [P, D] (NULL: none). All float32. */
DF_OPERATION(assemble_tokens,
             (struct df_backend *backend, const float *patches, const float *prefix, const float *pos,
              float *x, struct df_token_rows rows, int64_t dim),
             (backend, patches, prefix, pos, x, rows, dim))

/* The chosen rows of x float32 [B, N, D] -> y [B * rows, D] of `type`, act or float32; mean, rstd float32
 * [B * rows], or both NULL. gamma, beta float32 [D]. */
DF_OPERATION(layernorm_forward,
             (struct df_backend *backend, const float *x, struct df_token_rows rows, int64_t dim,
              const float *gamma, const float *beta, float eps, void *y, enum df_dtype type, float *mean,
              float *rstd),
             (backend, x, rows, dim, gamma, beta, eps, y, type, mean, rstd))

/* dx float32 [B, N, D] (the chosen rows) += gradient through the normalisation of dy [B * rows, D] of
 * `type`, act or float32. x, mean and rstd are those of the forward pass. */
DF_OPERATION(layernorm_backward,
             (struct df_backend *backend, const void *dy, enum df_dtype type, const float *x,
              struct df_token_rows rows, int64_t dim, const float *gamma, const float *mean,
              const float *rstd, float *dx),
             (backend, dy, type, x, rows, dim, gamma, mean, rstd, dx))

/* tables float32 [count, 2, h * w, head_size]: sin and cos of DINOv3's axial RoPE on a grid of patches, where
 * table i has the coordinates, which go from -1 to 1, times rescale[i]. periods float32 [head_size / 4]: of
 * the angle along y, in the first quarter of a row, and again along x; the second half repeats the first.
 * periods, rescale: device. */
DF_OPERATION(rope_tables,
             (struct df_backend *backend, const float *periods, const float *rescale, int64_t count, int64_t h,
              int64_t w, int64_t head_size, float *tables),
             (backend, periods, rescale, count, h, w, head_size, tables))

/* Rotates q and k of the patch tokens in place: qkv act [B, N, 3, heads, head_size]; sin, cos float32 [P,
 * head_size]. `inverse` multiplies by the transpose, which is the gradient. */
DF_OPERATION(rope,
             (struct df_backend *backend, void *qkv, struct df_attention_shape shape, int64_t prefix_tokens,
              const float *sin, const float *cos, bool inverse),
             (backend, qkv, shape, prefix_tokens, sin, cos, inverse))

/* Attention of this shape will be asked for, and its gradient if `training`: what that takes beforehand is begun
 * beside other work. Changes no result. */
DF_SERVICE(int, expect_attention, (struct df_backend *backend, struct df_attention_shape shape, bool training),
           (backend, shape, training))

/* qkv act [B, N, 3, heads, head_size] -> out act [B, N, D]; lse float32 [B, heads, N], log of the row's
 * sum of exponentials of scaled scores (NULL in evaluation). Scale 1 / sqrt(head_size). */
DF_OPERATION(attention_forward,
             (struct df_backend *backend, struct df_attention_shape shape, const void *qkv, void *out,
              float *lse),
             (backend, shape, qkv, out, lse))

/* dqkv, as qkv is, from dout act [B, N, D], and qkv, out and lse of the forward pass. need_dk false leaves
 * the k third of dqkv as it was and saves its product. */
DF_OPERATION(attention_backward,
             (struct df_backend *backend, struct df_attention_shape shape, const void *qkv, const void *out,
              const float *lse, const void *dout, void *dqkv, bool need_dk),
             (backend, shape, qkv, out, lse, dout, dqkv, need_dk))

/* y = gelu(x), exact erf form; act [count]. */
DF_OPERATION(gelu_forward, (struct df_backend *backend, const void *x, void *y, int64_t count),
             (backend, x, y, count))

/* dx = dy * gelu'(x), all act [count]; dx may be dy. */
DF_OPERATION(gelu_backward,
             (struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t count),
             (backend, x, dy, dx, count))

/* x act [M, 2 * hidden] = [x1, x2] -> y act [M, hidden] = silu(x1) * x2. */
DF_OPERATION(swiglu_forward,
             (struct df_backend *backend, const void *x, void *y, int64_t rows, int64_t hidden),
             (backend, x, y, rows, hidden))

/* dx act [M, 2 * hidden] from dy act [M, hidden] and the forward pass's x; dx may be x. */
DF_OPERATION(swiglu_backward,
             (struct df_backend *backend, const void *x, const void *dy, void *dx, int64_t rows,
              int64_t hidden),
             (backend, x, dy, dx, rows, hidden))

/* destination [count] of type `to` = source [count] of type `from`. -1 with the error set for two types
 * that the backend has not; each has float32 and bfloat16. */
DF_OPERATION(convert,
             (struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
              enum df_dtype to, int64_t count),
             (backend, source, from, destination, to, count))

/* --- decoders: maps are float32 whatever act is. A pyramid of bfloat16 maps loses its gradients (their
 * cosine with float32's falls below 0.9), and computing them is little work. --- */

/* x [B, H, W, in] -> y [B, df_conv_side(H), df_conv_side(W), out]; weight [out, in, k, k]; bias [out] or NULL. */
DF_OPERATION(conv_forward,
             (struct df_backend *backend, struct df_conv_shape shape, const float *x, const float *weight,
              const float *bias, float *y),
             (backend, shape, x, weight, bias, y))

/* dx [B, H, W, in] = gradient of x, from dy, as y is. */
DF_OPERATION(conv_backward_data,
             (struct df_backend *backend, struct df_conv_shape shape, const float *dy, const float *weight,
              float *dx),
             (backend, shape, dy, weight, dx))

/* dweight [out, in, k, k] = gradient of the weights. */
DF_OPERATION(conv_backward_weight,
             (struct df_backend *backend, struct df_conv_shape shape, const float *x, const float *dy,
              float *dweight),
             (backend, shape, x, dy, dweight))

/* x [M, C] -> y [M, C], M at least 1; statistics of x when training, the running ones otherwise. */
DF_OPERATION(batchnorm_forward,
             (struct df_backend *backend, const struct df_batchnorm *norm, bool training, const float *x,
              float *y),
             (backend, norm, training, x, y))

/* dx [M, C] (may be dy), dgamma [C], dbeta [C] from dy [M, C], the input x and the output y (NULL without a
 * ReLU) of the training forward pass. */
DF_OPERATION(batchnorm_backward,
             (struct df_backend *backend, const struct df_batchnorm *norm, const float *x, const float *y,
              const float *dy, float *dx, float *dgamma, float *dbeta),
             (backend, norm, x, y, dy, dx, dgamma, dbeta))

/* y [B, P, C] (may be x) = x [B, P, C] times factors [B, C]: of each image's channels. */
DF_OPERATION(scale_channels,
             (struct df_backend *backend, const float *x, const float *factors, int64_t batch,
              int64_t positions, int64_t channels, float *y),
             (backend, x, factors, batch, positions, channels, y))

/* y [M, C] (may be x) = x [M, C], each row divided by its Euclidean norm, as PyTorch's normalize does it: by
 * 1e-12 where the norm is less. */
DF_OPERATION(normalize_rows,
             (struct df_backend *backend, const float *x, int64_t rows, int64_t columns, float *y),
             (backend, x, rows, columns, y))

/* y [B, H, W, C] (+)= x [B, h, w, C] resized by nearest neighbour: source index
 * min((int)floorf(i * ((float)h / H)), h - 1), as PyTorch computes it. */
DF_OPERATION(nearest_forward,
             (struct df_backend *backend, const float *x, int64_t batch, int64_t h, int64_t w, float *y,
              int64_t height, int64_t width, int64_t channels, bool accumulate),
             (backend, x, batch, h, w, y, height, width, channels, accumulate))

/* dx [B, h, w, C] = the sums of dy [B, H, W, C] over the pixels that read it. */
DF_OPERATION(nearest_backward,
             (struct df_backend *backend, const float *dy, int64_t batch, int64_t height, int64_t width,
              float *dx, int64_t h, int64_t w, int64_t channels),
             (backend, dy, batch, height, width, dx, h, w, channels))

/* Fills what is asked for in *work (host); scratch float32 [2 * B * h * w * C], of the device, is needed when
 * dlogits is, and may be NULL otherwise. */
DF_OPERATION(upsample_loss, (struct df_backend *backend, struct df_upsample_loss *work, float *scratch),
             (backend, work, scratch))

/* The Dice loss of work's logits and labels, times `factor` and the sum of its pixels' class weights, as the terms
 * of upsample_loss have it: region float32 [2, C], more [1], of the device. Over the pixels whose label is not 255, with T
 * the number of those of class c, P the sum of all their p[c] and I of those whose label is c, it is the sum of
 * 1 - 2 I / (P + T) over the classes that have pixels, divided by C. Reads the class weights alone of work->terms. */
DF_OPERATION(dice,
             (struct df_backend *backend, const struct df_upsample_loss *work, float factor, float *region,
              float *more),
             (backend, work, factor, region, more))

/* The Lovasz softmax loss of work's logits and labels, times `factor` and the sum of its pixels' class weights, as the
 * terms of upsample_loss have it (slopes, gradient, more: all of them are written): the mean over the classes that
 * have pixels of the Lovasz extension of the Jaccard loss, of the errors of all pixels together, |1 - p[c]| where c is
 * the label and p[c] elsewhere. Reads the class weights alone of work->terms. */
DF_OPERATION(lovasz,
             (struct df_backend *backend, const struct df_upsample_loss *work, float factor, float *slopes,
              float *gradient, float *more),
             (backend, work, factor, slopes, gradient, more))

/* hard uint8 [B, height, width] = work's labels of the pixels that are predicted worst, and 255 for all others:
 * where the label's probability is below `threshold`, or below that of rank `least` (from 0 on, of the lowest; the
 * highest where there are fewer), whichever is higher. */
DF_OPERATION(hard_pixels,
             (struct df_backend *backend, const struct df_upsample_loss *work, float threshold, int64_t least,
              uint8_t *hard),
             (backend, work, threshold, least, hard))

/* logits float32 [B, h, w, C] -> out float32 [B, C, height, width]. */
DF_OPERATION(upsample_logits,
             (struct df_backend *backend, const float *logits, float *out, int64_t batch, int64_t h,
              int64_t w, int64_t classes, int64_t height, int64_t width),
             (backend, logits, out, batch, h, w, classes, height, width))

/* --- averages over windows and views of one image --- */

/* canvas float32 [canvas height, canvas width, C] += weight * logits float32 [h, w, C], enlarged bilinearly
 * to a window of it, or to one that reaches beyond it. */
DF_OPERATION(add_window,
             (struct df_backend *backend, const struct df_window *window, const float *logits,
              float *canvas),
             (backend, window, logits, canvas))

/* sum float32 [height, width, C] += softmax of logits float32 [h, w, C] enlarged bilinearly to that size;
 * mirrored: left and right of logits change sides. */
DF_OPERATION(add_probabilities,
             (struct df_backend *backend, const float *logits, int64_t h, int64_t w, int64_t classes,
              bool mirrored, float *sum, int64_t height, int64_t width),
             (backend, logits, h, w, classes, mirrored, sum, height, width))

/* From sum float32 [count, C] of `views` softmaxes: prediction uint8 [count] (arg max, the lowest class on a
 * tie), its mean probability confidence float32 [count] (NULL: none), and with labels uint8 [count] (NULL: none) the sum of -log of the labels' mean probability over
 * pixels that are not 255, and how many these are; without labels both are 0. These two stay at on_device, or
 * else (NULL) go to loss, host. */
DF_OPERATION(argmax,
             (struct df_backend *backend, const float *sum, int64_t count, int64_t classes, int64_t views,
              const uint8_t *labels, uint8_t *prediction, float *confidence, struct df_loss_sum *on_device,
              struct df_loss_sum *loss),
             (backend, sum, count, classes, views, labels, prediction, confidence, on_device, loss))

/* matrix int64 [classes + 1, classes]: pixels of each label (row; the last one is DF_IGNORE_LABEL's) and
 * prediction (column); prediction, labels uint8 [count]. A pixel whose label or prediction is no class is
 * counted nowhere. */
DF_OPERATION(confusion_matrix,
             (struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels, int64_t count,
              int64_t classes, int64_t *matrix),
             (backend, prediction, labels, count, classes, matrix))

/* bins [DF_CALIBRATION_BINS] of the pixels whose label is not 255: confidence float32 [count], from 0 to 1; prediction,
 * labels uint8 [count]. */
DF_OPERATION(calibration,
             (struct df_backend *backend, const float *confidence, const uint8_t *prediction,
              const uint8_t *labels, int64_t count, struct df_calibration_bin *bins),
             (backend, confidence, prediction, labels, count, bins))

/* overlap int64 [classes, 3]: of each class how many pixels the boundary of the prediction has, that of the labels, and
 * both. prediction, labels uint8 [height, width]. A class' boundary are its pixels with another class, or the outside
 * of the image, at most `reach` pixels away in both directions, from 1 to DF_BOUNDARY_REACH_MAX. What is no class in
 * the labels, such as 255, is another one for this and counted nowhere, nor is a prediction that is no class. */
DF_OPERATION(boundary_overlap,
             (struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels, int64_t height,
              int64_t width, int64_t classes, int64_t reach, int64_t *overlap),
             (backend, prediction, labels, height, width, classes, reach, overlap))

/* --- the optimiser --- */

/* Of part of a batch: gradient float32 [count] of the mean loss of its pixels, which *loss are. sum float32
 * [count] += loss->weight * gradient, and *total += *loss; so sum is the gradient of total->sum. loss, total:
 * device. A part without weight adds nothing. */
DF_OPERATION(add_gradient,
             (struct df_backend *backend, const float *gradient, int64_t count,
              const struct df_loss_sum *loss, float *sum, struct df_loss_sum *total),
             (backend, gradient, count, loss, sum, total))

/* gradient float32 [count], of a mean; or of total->sum (device), where total is not NULL: then the mean is
 * gradient / total->weight, and 0 where that is 0. -> *scale (device): the mean's Euclidean norm, and the factor
 * that makes of gradient the mean, shortened where its norm is above `longest` as torch's clip_grad_norm_
 * does; longest 0: never. */
DF_OPERATION(gradient_scale,
             (struct df_backend *backend, const float *gradient, int64_t count,
              const struct df_loss_sum *total, double longest, struct df_gradient_scale *scale),
             (backend, gradient, count, total, longest, scale))

/* PyTorch's AdamW on a tensor, with the gradient times scale->factor; m and v are its first and second
 * moments, 0 before the first step. All float32 [count], updated in place but for the gradient; where
 * scale->norm is not finite nothing changes. scalars, scale: device. */
DF_OPERATION(adamw,
             (struct df_backend *backend, const struct df_adamw_scalars *scalars,
              const struct df_gradient_scale *scale, float *parameter, const float *gradient, float *m,
              float *v, int64_t count),
             (backend, scalars, scale, parameter, gradient, m, v, count))

/* average float32 [count] goes the share *weight float32 (device) of the way to value float32 [count], as
 * torch.lerp: 0 keeps average, 1 copies value. */
DF_OPERATION(moving_average,
             (struct df_backend *backend, const float *value, const float *weight, float *average,
              int64_t count),
             (backend, value, weight, average, count))

/* clang-format on */

#undef DF_OPERATION
#undef DF_SERVICE
#undef DF_RELEASE
#undef DF_CONTROL
#undef DF_ROW
#undef DF_NO_BATCHES
