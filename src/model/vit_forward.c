#include "vit_internal.h"
#include "position.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>

static int embed(struct df_vit *vit, const float *image, int64_t batch)
{
    const struct df_backend_ops *ops = vit->backend->ops;
    int64_t rows = batch * vit->patches, inputs = 3 * vit->config.patch * vit->config.patch;

    DF_TRY(ops->patchify(vit->backend, image, vit->scratch.patches, batch, vit->options.height,
                         vit->options.width, vit->config.patch));
    DF_TRY(ops->linear_forward(vit->backend, vit->patch_embed,
                               vit_act(vit, vit->scratch.patches, rows, inputs),
                               vit_f32(vit->scratch.patch_tokens, rows, vit->config.dim), NULL));
    return ops->assemble_tokens(vit->backend, vit->scratch.patch_tokens, vit->prefix_tokens, vit->pos_embed,
                                vit->activations[0].x_in, vit_patch_rows(vit, batch), vit->config.dim);
}

int df_vit_draw_dropout(struct df_vit *vit, uint64_t key, int64_t first_image)
{
    const struct df_dropout_draw draw = {key, (uint64_t)(first_image * vit->tokens)};

    if (!vit->dropout_draw)
        return 0;
    return vit->backend->ops->upload(vit->backend, vit->dropout_draw, &draw, sizeof draw);
}

int df_vit_rescale_rope(struct df_vit *vit, struct df_rng *rng)
{
    const double limit = log(vit->options.rope_rescale);
    float factors[DF_VIT_MAX_DEPTH];

    if (!vit->rescale)
        return 0;
    assert(rng && vit->config.depth <= DF_VIT_MAX_DEPTH);
    for (int64_t i = 0; i < vit->config.depth; i++)
        factors[i] = (float)exp(df_rng_uniform(rng, -limit, limit));
    return vit->backend->ops->upload(vit->backend, vit->rope_scales + 1, factors,
                                     (size_t)vit->config.depth * sizeof *factors);
}

/* Each block's, from the factors that were drawn last. The blocks' tables are neighbours. */
static int make_rescaled_tables(struct df_vit *vit)
{
    return vit->backend->ops->rope_tables(vit->backend, vit->rope_periods, vit->rope_scales + 1,
                                          vit->config.depth, vit->grid_h, vit->grid_w, vit->config.head_size,
                                          vit->activations[0].rope_sin);
}

/* y = the layer of x, with its LoRA, + residual. */
static int forward_layer(struct df_vit *vit, int64_t i, enum df_lora_layer layer, struct df_matrix x,
                         struct df_matrix y, const float *residual)
{
    const struct df_lora_use use = vit_lora(vit, i, layer);

    if (vit_has_dora(vit, i, layer))
        return vit_dora_forward(vit, i, layer, x, y, residual);
    DF_TRY(vit->backend->ops->linear_forward(vit->backend, vit_linear(vit, i, layer), x, y, residual));
    if (!vit_has_lora(vit, i, layer))
        return 0;
    DF_TRY(vit_drop(vit, i, layer, &x, vit_dropped(vit, layer, x)));
    return df_lora_forward(&use, vit->backend, x, y);
}

static int attend(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    const struct vit_block *block = &vit->blocks[i];
    struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    struct df_matrix normed = vit_act(vit, vit->scratch.normed, rows, dim);
    struct df_matrix qkv = vit_act(vit, kept->qkv, rows, 3 * dim);

    DF_TRY(ops->layernorm_forward(backend, kept->x_in, vit_all_rows(vit, batch), dim, block->norm1.gamma,
                                  block->norm1.beta, vit->config.layernorm_eps, normed.data, normed.type,
                                  kept->mean1, kept->rstd1));
    DF_TRY(forward_layer(vit, i, DF_LORA_IN_QKV, normed, qkv, NULL));
    if (vit->config.family == DF_DINOV3)
        DF_TRY(ops->rope(backend, kept->qkv, vit_attention_shape(vit, batch), vit->prefix,
                         rescaled ? kept->rope_sin : vit->rope_sin, rescaled ? kept->rope_cos : vit->rope_cos,
                         false));
    DF_TRY(ops->attention_forward(backend, vit_attention_shape(vit, batch), kept->qkv, kept->attention,
                                  kept->lse));
    return forward_layer(vit, i, DF_LORA_IN_PROJ, vit_act(vit, kept->attention, rows, dim),
                         vit_f32(kept->x_mid, rows, dim), kept->x_in);
}

/* From x_mid to the FFN's pre-activation. */
static int enter_ffn(struct df_vit *vit, int64_t i, int64_t batch)
{
    struct df_backend *backend = vit->backend;
    const struct vit_block *block = &vit->blocks[i];
    struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim;
    struct df_matrix normed = vit_act(vit, vit->scratch.normed, rows, dim);

    DF_TRY(backend->ops->layernorm_forward(backend, kept->x_mid, vit_all_rows(vit, batch), dim,
                                           block->norm2.gamma, block->norm2.beta, vit->config.layernorm_eps,
                                           normed.data, normed.type, kept->mean2, kept->rstd2));
    return forward_layer(vit, i, DF_LORA_IN_UP, normed, vit_act(vit, kept->ffn, rows, vit_ffn_width(vit)),
                         NULL);
}

static int leave_ffn(struct df_vit *vit, int64_t i, int64_t batch, float *x_out)
{
    struct df_backend *backend = vit->backend;
    const struct df_backend_ops *ops = backend->ops;
    struct vit_block_activations *kept = &vit->activations[i];
    int64_t rows = batch * vit->tokens, dim = vit->config.dim, hidden = vit->config.ffn_hidden;

    if (vit->config.ffn == DF_FFN_MLP)
        DF_TRY(ops->gelu_forward(backend, kept->ffn, vit->scratch.ffn_hidden, rows * hidden));
    else
        DF_TRY(ops->swiglu_forward(backend, kept->ffn, vit->scratch.ffn_hidden, rows, hidden));
    return forward_layer(vit, i, DF_LORA_IN_DOWN, vit_act(vit, vit->scratch.ffn_hidden, rows, hidden),
                         vit_f32(x_out, rows, dim), kept->x_mid);
}

/* Final norm of a block's output, patch tokens only. */
static int take_feature(struct df_vit *vit, const float *x, int64_t batch, struct vit_feature *feature)
{
    return vit->backend->ops->layernorm_forward(vit->backend, x, vit_patch_rows(vit, batch), vit->config.dim,
                                                vit->norm.gamma, vit->norm.beta, vit->config.layernorm_eps,
                                                feature->patches, DF_F32, feature->mean, feature->rstd);
}

int df_vit_forward(struct df_vit *vit, const float *image, int64_t batch, bool training)
{
    int64_t depth = vit->config.depth;
    struct vit_feature *feature = vit->features; /* the next one */
    bool rescaled = training && vit->rescale;

    vit->drops = training && vit->dropout_draw;

    assert(batch >= 1 && batch <= vit->options.max_batch);
    if (rescaled)
        DF_TRY(make_rescaled_tables(vit));
    DF_TRY(vit_dora_find_factors(vit));
    DF_TRY(embed(vit, image, batch));
    for (int64_t i = 0; i < depth; i++) {
        float *x_out = i + 1 < depth ? vit->activations[i + 1].x_in : vit->x_out;
        DF_TRY(attend(vit, i, batch, rescaled));
        DF_TRY(enter_ffn(vit, i, batch));
        DF_TRY(leave_ffn(vit, i, batch, x_out));
        if (i == feature->block)
            DF_TRY(take_feature(vit, x_out, batch, feature++));
    }
    if (!vit->options.class_tokens)
        return 0;
    return vit->backend->ops->layernorm_forward(
        vit->backend, vit->x_out, vit_rows(vit, batch, 0, 1), vit->config.dim, vit->cls_norm.gamma,
        vit->cls_norm.beta, vit->config.layernorm_eps, vit->class_tokens, DF_F32, NULL, NULL);
}

int df_vit_recompute_block(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled)
{
    DF_TRY(attend(vit, i, batch, rescaled));
    return enter_ffn(vit, i, batch);
}
