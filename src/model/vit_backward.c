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

static int ffn_backward(struct df_vit *vit, int64_t i, int64_t batch)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block *block = &vit->blocks[i];
    const struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim, hidden = vit->config.ffn_hidden;
    struct df_matrix dhidden = vit_act(vit, vit->scratch.dhidden, rows, hidden);
    struct df_matrix dnormed = vit_act(vit, vit->scratch.dnormed, rows, dim);

    DF_TRY(
        ops->linear_backward(backend, block->ffn_down, vit_f32(vit->scratch.dx, rows, dim), dhidden, false));
    if (vit->config.ffn == DF_FFN_MLP)
        DF_TRY(ops->gelu_backward(backend, kept->ffn, dhidden.data, vit->scratch.dffn, rows * hidden));
    else
        DF_TRY(ops->swiglu_backward(backend, kept->ffn, dhidden.data, vit->scratch.dffn, rows, hidden));
    DF_TRY(ops->linear_backward(backend, block->ffn_up,
                                vit_act(vit, vit->scratch.dffn, rows, vit_ffn_width(vit)), dnormed, false));
    return ops->layernorm_backward(backend, dnormed.data, dnormed.type, kept->x_mid, vit_all_rows(vit, batch),
                                   dim, block->norm2.gamma, kept->mean2, kept->rstd2, vit->scratch.dx);
}

/* scratch.dqkv from scratch.dx. In the first block with LoRA k has nothing below it that is trained. */
static int attention_backward(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block_activations *kept = &vit->activations[i];
    struct df_attention_shape shape = vit_attention_shape(vit, batch);
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    bool need_dk = vit_goes_below(vit, i, DF_LORA_IN_QKV);

    DF_TRY(ops->linear_backward(backend, vit->blocks[i].proj, vit_f32(vit->scratch.dx, rows, dim),
                                vit_act(vit, vit->scratch.dattention, rows, dim), false));
    DF_TRY(ops->attention_backward(backend, shape, kept->qkv, kept->attention, kept->lse,
                                   vit->scratch.dattention, vit->scratch.dqkv, need_dk));
    if (vit->config.family != DF_DINOV3)
        return 0;
    return ops->rope(backend, vit->scratch.dqkv, shape, vit->prefix,
                     rescaled ? kept->rope_sin : vit->rope_sin, rescaled ? kept->rope_cos : vit->rope_cos,
                     true);
}

/* LoRA's gradients from scratch.dqkv, and, above the first block with LoRA, what flows further down into
 * scratch.dx. */
static int projection_backward(struct df_vit *vit, int64_t i, int64_t batch)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block *block = &vit->blocks[i];
    const struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    struct df_matrix normed = vit_act(vit, vit->scratch.normed, rows, dim);
    struct df_matrix dqkv = vit_act(vit, vit->scratch.dqkv, rows, 3 * dim);
    const bool goes_below = vit_goes_below(vit, i, DF_LORA_IN_QKV);
    const struct df_lora_use use = vit_lora(vit, i, DF_LORA_IN_QKV);
    struct df_matrix dnormed = vit_act(vit, goes_below ? vit->scratch.dnormed : NULL, rows, dim);

    /* recomputed: cheaper than keeping it for every block */
    if (df_lora_columns(use.lora, i, use.layer) > 0)
        DF_TRY(ops->layernorm_forward(backend, kept->x_in, vit_all_rows(vit, batch), dim, block->norm1.gamma,
                                      block->norm1.beta, vit->config.layernorm_eps, normed.data, normed.type,
                                      NULL, NULL));
    if (goes_below)
        DF_TRY(ops->linear_backward(backend, block->qkv, dqkv, dnormed, false));
    DF_TRY(df_lora_backward(&use, backend, normed, dqkv, dnormed, vit->scratch.lora_ddown));
    if (!goes_below)
        return 0;
    return ops->layernorm_backward(backend, dnormed.data, dnormed.type, kept->x_in, vit_all_rows(vit, batch),
                                   dim, block->norm1.gamma, kept->mean1, kept->rstd1, vit->scratch.dx);
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
        DF_TRY(attention_backward(vit, i, batch, vit->rescale));
        DF_TRY(projection_backward(vit, i, batch));
    }
    return 0;
}
