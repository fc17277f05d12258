/* Layers with DoRA: y = g (W x + B A x) + bias + residual, where g = m / |W + B A| for each row (lora.h).
 *
 * W is packed, so its rows are not there for their lengths. |w + b A|^2 is |w|^2 + 2 b (A w) + b (A A^T) b:
 * the first is kept, and A W^T is what the packed layer makes of A's rows as tokens. |w|^2 is of the float32
 * weights whatever the compute type is, so that g is 1 at first; in bfloat16 A W^T is rounded as all products
 * are.
 *
 * In the backward pass g counts as constant. Then dW is not needed, and m's gradient is the sum of dy (W x +
 * B A x) / |W + B A|, which is the sum of dy (y - bias - residual) / m: what the forward pass has left tells
 * it.
 *
 * With dropout A reads a dropped x', and DoRA is W x + (g - 1) W x' + g B A x' + bias, as PEFT has it: only
 * what is added to the frozen layer is dropped. That takes W x' beside W x, in both passes. */
#include "vit_internal.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>

#define VECTORS 5 /* of struct vit_dora */

/* Of a vector of rows, those from `first` on. NULL on a backend that only counts. */
static float *from(float *vector, int64_t first)
{
    return vector ? vector + first : NULL;
}

/* --- loading --- */

static float square_of_row(const float *row, int64_t in)
{
    double sum = 0.0;

    for (int64_t i = 0; i < in; i++)
        sum += (double)row[i] * (double)row[i];
    return (float)sum;
}

int vit_dora_load(struct df_vit *vit, int64_t block, enum df_lora_layer layer, const float *weight,
                  const float *bias, const float *scale, int64_t out, int64_t in)
{
    float *values = malloc((size_t)(VECTORS * out) * sizeof *values);

    if (!values)
        return df_error_memory("DoRA's vectors", (size_t)(VECTORS * out) * sizeof *values);
    for (int64_t i = 0; i < out; i++) {
        values[i] = square_of_row(weight + i * in, in);
        values[out + i] = bias ? bias[i] * (scale ? scale[i] : 1.0f) : 0.0f;
        values[2 * out + i] = 1.0f;
        values[3 * out + i] = 0.0f;
        values[4 * out + i] = scale ? scale[i] : 1.0f;
    }
    float *vectors = vit_device_vector(vit, values, VECTORS * out);
    free(values);
    if (!vectors)
        return -1;
    vit->blocks[block].dora[layer] =
        (struct vit_dora){vectors, vectors + out, vectors + 2 * out, vectors + 3 * out, vectors + 4 * out};
    return 0;
}

/* Beside the bias, which counts as the packed layer's. */
size_t vit_dora_bytes(const struct df_vit *vit)
{
    int64_t count = 0;

    for (int64_t i = 0; i < vit->config.depth; i++) {
        for (int k = 0; k < DF_LORA_LAYERS; k++) {
            const enum df_lora_layer layer = (enum df_lora_layer)k;
            const bool bias = layer != DF_LORA_IN_QKV || vit->config.qkv_bias;
            if (vit_has_dora(vit, i, layer))
                count += (VECTORS - bias) * vit_layer_width(vit, layer);
        }
    }
    return (size_t)count * sizeof(float);
}

int df_vit_start_magnitudes(struct df_vit *vit)
{
    const struct df_backend_ops *ops = vit->backend->ops;
    const struct df_lora *lora = vit->options.lora;
    const int64_t widest = df_max_i64(3 * vit->config.dim, vit_ffn_width(vit));
    float *lengths = malloc((size_t)widest * sizeof *lengths);
    int status = lengths ? 0 : df_error_memory("DoRA's magnitudes", (size_t)widest * sizeof *lengths);

    for (int64_t i = 0; i < vit->config.depth; i++) {
        for (int target = 0; status == 0 && target < DF_LORA_TARGETS; target++) {
            const struct df_lora_place place = df_lora_place((enum df_lora_target)target, &vit->config);
            const int m = lora->blocks[i].m[target];
            if (m < 0)
                continue;
            const float *squares = from(vit->blocks[i].dora[place.layer].squares, place.first_row);
            status = ops->download(vit->backend, lengths, squares, (size_t)place.out * sizeof *lengths);
            for (int64_t row = 0; row < place.out; row++)
                lengths[row] = sqrtf(lengths[row]);
            if (status == 0)
                status = ops->upload(vit->backend, lora->parameters->items[m].value, lengths,
                                     (size_t)place.out * sizeof *lengths);
        }
    }
    free(lengths);
    return status;
}

/* --- the factors --- */

void vit_dora_plan(struct df_vit *vit, struct df_arena *arena)
{
    const struct df_lora *lora = vit->options.lora;
    const int64_t most = df_lora_most_columns(lora), rows = vit->options.max_batch * vit->tokens;
    int64_t widest = 0;

    for (int64_t i = 0; i < vit->config.depth; i++)
        for (int layer = 0; layer < DF_LORA_LAYERS; layer++)
            if (vit_has_dora(vit, i, (enum df_lora_layer)layer))
                widest = df_max_i64(widest, vit_layer_width(vit, (enum df_lora_layer)layer));
    vit->scratch.lora_b = df_arena_take(arena, "LoRA's B, scaled", widest * lora->rank, DF_F32);
    vit->scratch.dora_products = df_arena_take(arena, "DoRA's products", most * widest, DF_F32);
    vit->scratch.dora_gram = df_arena_take(arena, "DoRA's products of A", most * most, DF_F32);
    vit->scratch.dora = df_arena_take(arena, "DoRA's scaled gradient", rows * widest, vit->backend->compute);
}

static struct df_matrix block_of(struct df_matrix matrix, int64_t row, int64_t rows, int64_t column,
                                 int64_t columns)
{
    matrix.data = (float *)matrix.data + row * matrix.ld;
    matrix.rows = rows;
    return df_lora_columns_of(matrix, column, columns);
}

static int find_factors(struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    struct df_backend *backend = vit->backend;
    const struct vit_dora *dora = &vit->blocks[block].dora[layer];
    const struct df_lora_use use = vit_lora(vit, block, layer);
    const struct df_lora_tensors weights = df_lora_tensors(&use, false);
    const int64_t rank = use.lora->rank, columns = weights.a.rows;
    const struct df_matrix products =
                               vit_f32(vit->scratch.dora_products, columns, vit_layer_width(vit, layer)),
                           gram = vit_f32(vit->scratch.dora_gram, columns, columns);

    DF_TRY(backend->ops->linear_forward(backend, vit_linear(vit, block, layer), weights.a, products, NULL));
    DF_TRY(backend->ops->matmul(backend, weights.a, false, weights.a, true, gram, false));
    for (int i = 0; i < weights.count; i++) {
        const struct df_lora_place place = df_lora_place(weights.targets[i], &vit->config);
        const int64_t first = place.first_row;
        const struct df_dora_rows rows = {
            .b = weights.b[i],
            .products = block_of(products, i * rank, rank, first, place.out),
            .gram = block_of(gram, i * rank, rank, i * rank, rank),
            .squares = from(dora->squares, first),
            .scales = from(vit->blocks[block].row_scales[layer], first),
            .magnitude = weights.m[i],
        };
        DF_TRY(backend->ops->dora_factors(backend, &rows, from(dora->factors, first),
                                          from(dora->excess, first), from(dora->b_factors, first)));
    }
    return 0;
}

int vit_dora_find_factors(struct df_vit *vit)
{
    for (int64_t i = 0; i < vit->config.depth; i++)
        for (int layer = 0; layer < DF_LORA_LAYERS; layer++)
            if (vit_has_dora(vit, i, (enum df_lora_layer)layer))
                DF_TRY(find_factors(vit, i, (enum df_lora_layer)layer));
    return 0;
}

/* --- passes --- */

static struct df_matrix scratch(const struct df_vit *vit, enum df_lora_layer layer, int64_t rows)
{
    return vit_act(vit, vit->scratch.dora, rows, vit_layer_width(vit, layer));
}

int vit_dora_forward(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix x,
                     struct df_matrix y, const float *residual)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_dora *dora = &vit->blocks[block].dora[layer];
    const struct df_linear *linear = vit_linear(vit, block, layer);
    const struct df_lora_use use = vit_lora(vit, block, layer);
    const struct df_matrix product = scratch(vit, layer, x.rows);

    DF_TRY(ops->linear_forward(backend, linear, x, y, vit->drops ? residual : NULL));
    if (vit->drops) {
        DF_TRY(vit_drop(vit, block, layer, &x, vit_dropped(vit, layer, x)));
        DF_TRY(ops->linear_forward(backend, linear, x, product, NULL));
        DF_TRY(ops->scale_columns(backend, product, dora->excess, dora->bias, y.data, y));
    } else {
        DF_TRY(ops->scale_columns(backend, y, dora->factors, dora->bias, residual, y));
    }
    return df_lora_forward(&use, backend, x, y);
}

/* The layer's y, and what was added to it, as the forward pass without dropout left them. */
static struct df_matrix result_of(const struct df_vit *vit, int64_t block, enum df_lora_layer layer,
                                  int64_t rows, const float **residual)
{
    const struct vit_block_activations *kept = &vit->activations[block];
    float *x_out = block + 1 < vit->config.depth ? vit->activations[block + 1].x_in : vit->x_out;
    const int64_t width = vit_layer_width(vit, layer);

    *residual = layer == DF_LORA_IN_PROJ ? kept->x_in : layer == DF_LORA_IN_DOWN ? kept->x_mid : NULL;
    if (*residual)
        return vit_f32(layer == DF_LORA_IN_PROJ ? kept->x_mid : x_out, rows, width);
    return vit_act(vit, layer == DF_LORA_IN_QKV ? kept->qkv : kept->ffn, rows, width);
}

/* The gradients of m, from y - bias - residual = g (W x + B A x). */
static int find_gradients(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix dy,
                          struct df_matrix y, const float *bias, const float *residual)
{
    struct df_backend *backend = vit->backend;
    const struct df_lora_use use = vit_lora(vit, block, layer);
    const struct df_lora_tensors weights = df_lora_tensors(&use, false),
                                 gradients = df_lora_tensors(&use, true);

    for (int i = 0; i < weights.count; i++) {
        const struct df_lora_place place = df_lora_place(weights.targets[i], &vit->config);
        const int64_t first = place.first_row;
        const float *added = residual ? residual + first : NULL, *shift = bias ? bias + first : NULL;
        DF_TRY(backend->ops->dora_gradient(backend, df_lora_columns_of(dy, first, place.out),
                                           df_lora_columns_of(y, first, place.out), shift, added,
                                           weights.m[i], gradients.m[i]));
    }
    return 0;
}

/* x: dropped. */
static int backward_dropped(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix x,
                            struct df_matrix dy, struct df_matrix dx)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_dora *dora = &vit->blocks[block].dora[layer];
    const struct df_linear *linear = vit_linear(vit, block, layer);
    const struct df_lora_use use = vit_lora(vit, block, layer);
    const struct df_matrix product = scratch(vit, layer, x.rows), scaled = product;

    DF_TRY(ops->linear_forward(backend, linear, x, product, NULL));
    DF_TRY(ops->scale_columns(backend, product, dora->factors, NULL, NULL, product));
    DF_TRY(df_lora_up(&use, backend, product));
    DF_TRY(find_gradients(vit, block, layer, dy, product, NULL, NULL));
    if (!vit_goes_below(vit, block, layer))
        return 0;
    DF_TRY(df_lora_input_gradient(&use, backend, vit->scratch.lora_ddown, dx, false));
    DF_TRY(ops->scale_columns(backend, dy, dora->excess, NULL, NULL, scaled));
    DF_TRY(ops->linear_backward(backend, linear, scaled, dx, true));
    DF_TRY(vit_drop(vit, block, layer, &dx, dx.data));
    return ops->linear_backward(backend, linear, dy, dx, true);
}

int vit_dora_backward(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix x,
                      struct df_matrix dy, struct df_matrix dx)
{
    struct df_backend *backend = vit->backend;
    const struct vit_dora *dora = &vit->blocks[block].dora[layer];
    const struct df_lora_use use = vit_lora(vit, block, layer);
    const struct df_matrix scaled = scratch(vit, layer, dy.rows);
    const float *residual;
    const struct df_matrix y = result_of(vit, block, layer, dy.rows, &residual);

    if (vit->drops)
        return backward_dropped(vit, block, layer, x, dy, dx);
    DF_TRY(find_gradients(vit, block, layer, dy, y, dora->bias, residual));
    if (!vit_goes_below(vit, block, layer))
        return 0;
    DF_TRY(backend->ops->scale_columns(backend, dy, dora->factors, NULL, NULL, scaled));
    DF_TRY(backend->ops->linear_backward(backend, vit_linear(vit, block, layer), scaled, dx, false));
    return df_lora_input_gradient(&use, backend, vit->scratch.lora_ddown, dx, true);
}
