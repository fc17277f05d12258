/* From the features' gradients to LoRA's. scratch.dx is the gradient of the residual stream, walked from the
 * last block to the first with LoRA; frozen layers hand gradients through and get none. */
#include "vit_internal.h"

#include "dinoft/error.h"

#include <assert.h>

/* Adds the gradient of a feature (final norm of the patch tokens of x) to dx. */
static int feature_backward(struct df_vit *vit, int64_t batch, int i, const float *x, const float *dfeature)
{
    if (!dfeature)
        return 0;
    return vit->backend->ops->layernorm_backward(
        vit->backend, dfeature, DF_F32, x, vit_patch_rows(vit, batch), vit->config.dim, vit->norm.gamma,
        vit->features[i].mean, vit->features[i].rstd, vit->scratch.dx);
}

/* LoRA's gradients of a layer from dy, and dx where it is wanted; x and dx may be the same memory. */
static int layer_backward(struct df_vit *vit, int64_t i, enum df_lora_layer layer, struct df_matrix x,
                          struct df_matrix dy, struct df_matrix dx)
{
    struct df_backend *backend = vit->backend;
    const struct df_lora_use use = vit_lora(vit, i, layer);
    const bool adapted = vit_has_lora(vit, i, layer);

    if (adapted) {
        DF_TRY(vit_drop(vit, i, layer, &x, vit_dropped(vit, layer, x)));
        if (layer == DF_LORA_IN_DOWN && vit->options.recompute && i + 1 < vit->config.depth)
            DF_TRY(df_lora_down(&use, backend, x)); /* recomputing a block ends before that layer */
        DF_TRY(df_lora_gradients(&use, backend, x, dy, vit->scratch.lora_ddown));
    }
    if (vit_has_dora(vit, i, layer))
        return vit_dora_backward(vit, i, layer, x, dy, dx);
    if (!vit_goes_below(vit, i, layer))
        return 0;
    if (adapted && vit->drops) {
        DF_TRY(df_lora_input_gradient(&use, backend, vit->scratch.lora_ddown, dx, false));
        DF_TRY(vit_drop(vit, i, layer, &dx, dx.data));
        return backend->ops->linear_backward(backend, vit_linear(vit, i, layer), dy, dx, true);
    }
    DF_TRY(backend->ops->linear_backward(backend, vit_linear(vit, i, layer), dy, dx, false));
    return adapted ? df_lora_input_gradient(&use, backend, vit->scratch.lora_ddown, dx, true) : 0;
}

/* The input of a block's first layer, or of its FFN: cheaper than keeping it for every block. */
static int normalise_again(struct df_vit *vit, int64_t batch, const float *x, const struct vit_norm *norm)
{
    return vit->backend->ops->layernorm_forward(vit->backend, x, vit_all_rows(vit, batch), vit->config.dim,
                                                norm->gamma, norm->beta, vit->config.layernorm_eps,
                                                vit->scratch.normed, vit->backend->compute, NULL, NULL);
}

/* Likewise the input of the FFN's second layer. */
static int activate_again(struct df_vit *vit, int64_t i, struct df_matrix hidden)
{
    const struct df_backend_ops *ops = vit->backend->ops;
    const void *ffn = vit->activations[i].ffn;

    if (vit->config.ffn == DF_FFN_MLP)
        return ops->gelu_forward(vit->backend, ffn, hidden.data, hidden.rows * hidden.cols);
    return ops->swiglu_forward(vit->backend, ffn, hidden.data, hidden.rows, hidden.cols);
}

static int ffn_backward(struct df_vit *vit, int64_t i, int64_t batch)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block *block = &vit->blocks[i];
    const struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim, hidden = vit->config.ffn_hidden;
    struct df_matrix dhidden = vit_act(vit, vit->scratch.dhidden, rows, hidden);
    struct df_matrix dffn = vit_act(vit, vit->scratch.dffn, rows, vit_ffn_width(vit));
    struct df_matrix dnormed = vit_act(vit, vit->scratch.dnormed, rows, dim);

    if (vit_has_lora(vit, i, DF_LORA_IN_DOWN))
        DF_TRY(activate_again(vit, i, dhidden));
    DF_TRY(layer_backward(vit, i, DF_LORA_IN_DOWN, dhidden, vit_f32(vit->scratch.dx, rows, dim), dhidden));
    if (!vit_goes_below(vit, i, DF_LORA_IN_DOWN))
        return 0;
    if (vit->config.ffn == DF_FFN_MLP)
        DF_TRY(ops->gelu_backward(backend, kept->ffn, dhidden.data, dffn.data, rows * hidden));
    else
        DF_TRY(ops->swiglu_backward(backend, kept->ffn, dhidden.data, dffn.data, rows, hidden));
    if (vit_has_lora(vit, i, DF_LORA_IN_UP))
        DF_TRY(normalise_again(vit, batch, kept->x_mid, &block->norm2));
    DF_TRY(
        layer_backward(vit, i, DF_LORA_IN_UP, vit_act(vit, vit->scratch.normed, rows, dim), dffn, dnormed));
    if (!vit_goes_below(vit, i, DF_LORA_IN_UP))
        return 0;
    return ops->layernorm_backward(backend, dnormed.data, dnormed.type, kept->x_mid, vit_all_rows(vit, batch),
                                   dim, block->norm2.gamma, kept->mean2, kept->rstd2, vit->scratch.dx);
}

/* The inverse of a block's RoPE, and its gradient. */
static int rotate_back(struct df_vit *vit, const struct vit_block_activations *kept, int64_t batch, void *qkv,
                       bool rescaled)
{
    return vit->backend->ops->rope(vit->backend, qkv, vit_attention_shape(vit, batch), vit->prefix,
                                   rescaled ? kept->rope_sin : vit->rope_sin,
                                   rescaled ? kept->rope_cos : vit->rope_cos, true);
}

/* scratch.dqkv from scratch.dx. Without LoRA below and on it, k needs no gradient. */
static int attention_backward(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block_activations *kept = &vit->activations[i];
    struct df_attention_shape shape = vit_attention_shape(vit, batch);
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    const bool need_dk =
        vit_goes_below(vit, i, DF_LORA_IN_QKV) || df_lora_adapts(vit->options.lora, i, DF_LORA_K);

    DF_TRY(layer_backward(vit, i, DF_LORA_IN_PROJ, vit_act(vit, kept->attention, rows, dim),
                          vit_f32(vit->scratch.dx, rows, dim),
                          vit_act(vit, vit->scratch.dattention, rows, dim)));
    if (!vit_goes_below(vit, i, DF_LORA_IN_PROJ))
        return 0;
    DF_TRY(ops->attention_backward(backend, shape, kept->qkv, kept->attention, kept->lse,
                                   vit->scratch.dattention, vit->scratch.dqkv, need_dk));
    if (vit->config.family != DF_DINOV3)
        return 0;
    return rotate_back(vit, kept, batch, vit->scratch.dqkv, rescaled);
}

/* LoRA's gradients from scratch.dqkv, and what flows further down into scratch.dx. */
static int projection_backward(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled)
{
    const struct vit_block *block = &vit->blocks[i];
    const struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    struct df_matrix dqkv = vit_act(vit, vit->scratch.dqkv, rows, 3 * dim);
    struct df_matrix dnormed = vit_act(vit, vit->scratch.dnormed, rows, dim);

    if (vit_has_lora(vit, i, DF_LORA_IN_QKV))
        DF_TRY(normalise_again(vit, batch, kept->x_in, &block->norm1));
    if (vit_has_dora(vit, i, DF_LORA_IN_QKV) &&
        vit->config.family == DF_DINOV3) /* it reads the layer's q k v */
        DF_TRY(rotate_back(vit, kept, batch, kept->qkv, rescaled));
    DF_TRY(
        layer_backward(vit, i, DF_LORA_IN_QKV, vit_act(vit, vit->scratch.normed, rows, dim), dqkv, dnormed));
    if (!vit_goes_below(vit, i, DF_LORA_IN_QKV))
        return 0;
    return vit->backend->ops->layernorm_backward(vit->backend, dnormed.data, dnormed.type, kept->x_in,
                                                 vit_all_rows(vit, batch), dim, block->norm1.gamma,
                                                 kept->mean1, kept->rstd1, vit->scratch.dx);
}

int df_vit_backward(struct df_vit *vit, int64_t batch, const float *const dfeatures[])
{
    int64_t depth = vit->config.depth;
    int feature = vit->options.n_features - 1; /* the next one */
    size_t bytes = (size_t)(batch * vit->tokens * vit->config.dim) * sizeof(float);

    assert(vit->keep);
    DF_TRY(vit->backend->ops->zero(vit->backend, vit->scratch.dx, bytes));
    for (int64_t i = depth - 1; i >= vit->first_kept; i--) {
        const float *x_out = i + 1 < depth ? vit->activations[i + 1].x_in : vit->x_out;
        if (feature >= 0 && i == vit->features[feature].block) {
            DF_TRY(feature_backward(vit, batch, feature, x_out, dfeatures[feature]));
            feature--;
        }
        if (vit->options.recompute && i + 1 < depth) /* the forward pass left the last block's */
            DF_TRY(df_vit_recompute_block(vit, i, batch, vit->rescale));
        DF_TRY(ffn_backward(vit, i, batch));
        if (vit_goes_below(vit, i, DF_LORA_IN_UP))
            DF_TRY(attention_backward(vit, i, batch, vit->rescale));
        if (vit_goes_below(vit, i, DF_LORA_IN_PROJ))
            DF_TRY(projection_backward(vit, i, batch, vit->rescale));
    }
    return 0;
}
