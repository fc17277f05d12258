/* The backbone's parts, shared by the files vit*.c. */
#ifndef DINOFT_VIT_INTERNAL_H
#define DINOFT_VIT_INTERNAL_H

#include "vit.h"

struct vit_norm {
    float *gamma, *beta; /* device [D] */
};

/* Of a layer with DoRA, which is packed without its bias. Device, each [out of the layer]. */
struct vit_dora {
    float *squares; /* the squared lengths of the rows of W, without a layer scale; NULL: there is no DoRA */
    float *bias;    /* with the layer scale; 0 where the layer has none */
    float *factors; /* of each row: magnitude / length; 1 where there is no LoRA */
    float *excess;  /* these - 1 */
    float *b_factors; /* these times the layer scale */
};

struct vit_block {
    struct vit_norm norm1, norm2;
    struct df_linear *qkv, *proj;        /* proj with ls1 folded in */
    struct df_linear *ffn_up, *ffn_down; /* fc1 or [w1; w2]; fc2 or w3 with ls2 folded in */
    float *row_scales[DF_LORA_LAYERS];   /* device [D]: what is folded in, where LoRA needs it; else NULL */
    struct vit_dora dora[DF_LORA_LAYERS];
};

/* What one block's forward pass leaves. When not training with LoRA, all blocks share one set and x_out ==
 * x_in, and so do the blocks before the first with LoRA, with that one; with `recompute` the others share all
 * but x_in and the RoPE tables. */
struct vit_block_activations {
    float *x_in, *x_mid; /* [B, N, D] residual stream before the attention and before the FFN */
    float *mean1, *rstd1, *mean2, *rstd2; /* [B * N] */
    void *qkv, *attention, *ffn;          /* act [B * N, 3D], [B * N, D], [B * N, width of ffn_up] */
    float *lse;                           /* [B, heads, N] */
    float *lora_down[DF_LORA_LAYERS];     /* [B * N, df_lora_columns()] */
    float *rope_sin, *rope_cos;           /* [P, head_size], its own when RoPE is rescaled */
};

struct vit_feature {
    int64_t block;      /* whose output it is */
    float *patches;     /* [B * P, D] */
    float *mean, *rstd; /* [B * P] */
};

struct df_vit {
    struct df_backend *backend;
    struct df_vit_config config;
    struct df_vit_options options;
    int64_t grid_h, grid_w, patches, prefix, tokens; /* P, T, N */
    bool keep;                                       /* activations are kept for a backward pass: */
    int64_t first_kept;                              /* from this block on, the first with LoRA */
    enum df_lora_layer first_layer;                  /* of that block: the first with LoRA */
    bool rescale;                                    /* blocks have RoPE tables of their own while training */

    struct df_linear *patch_embed;
    struct vit_block *blocks; /* [depth] */
    struct vit_norm norm, cls_norm;
    float *prefix_tokens;                 /* device [T, D], the class token's position added */
    float *positions;                     /* device: what the next three are parts of */
    size_t position_count;                /* floats that fit there */
    float *pos_embed;                     /* device [P, D], DINOv2; else NULL */
    float *rope_sin, *rope_cos;           /* device [P, head_size], DINOv3; else NULL */
    float *position_host;                 /* host [1 + grid * grid, D], DINOv2: the class token's first */
    float *rope_periods;                  /* device [head_size / 4], DINOv3; with it: */
    float *rope_scales;                   /* device [1 + depth]: 1, then each block's factor while training */
    struct df_dropout_draw *dropout_draw; /* device; NULL without dropout */
    bool drops;                           /* the pass under way, or the last one */
    void **vectors;                       /* device allocations to free */
    int n_vectors, max_vectors;

    struct vit_block_activations *activations; /* [depth] */
    float *x_out;                              /* [B, N, D] */
    struct vit_feature features[DF_VIT_MAX_FEATURES];
    float *class_tokens;      /* [B, D] */
    struct {                  /* scratch, sharing memory between phases */
        void *patches;        /* act [B * P, 3 * p * p] */
        float *patch_tokens;  /* [B * P, D] */
        void *normed;         /* act [B * N, D] */
        void *ffn_hidden;     /* act [B * N, ffn_hidden] */
        float *dx;            /* [B * N, D] */
        void *dnormed;        /* act [B * N, D] */
        void *dattention;     /* act [B * N, D] */
        void *dqkv;           /* act [B * N, 3D] */
        void *dhidden, *dffn; /* act [B * N, ffn_hidden], [B * N, width of ffn_up] */
        float *lora_b;        /* [out, rank], for a B times a layer scale or DoRA's factors */
        float *dora_products; /* [df_lora_most_columns(), widest layer]: A W^T */
        float *dora_gram;     /* [df_lora_most_columns(), the same]: A A^T */
        void *dora;        /* act [B * N, widest layer with DoRA]: W x of a dropped x, or dy times factors */
        float *lora_ddown; /* [B * N, df_lora_most_columns()] */
    } scratch;
};

/* vit_forward.c: block i's activations from its input, as the forward pass left them; its output is not
 * computed. `rescaled`: with the RoPE tables of the last training pass. */
int df_vit_recompute_block(struct df_vit *vit, int64_t i, int64_t batch, bool rescaled);

/* vit_position.c: whether a size is one, -1 with the error set if it is no multiple of the patch; the numbers
 * that follow from it; and the position embedding or RoPE tables of that grid. */
int df_vit_check_size(const struct df_vit_config *config, int64_t height, int64_t width);
void df_vit_set_grid(struct df_vit *vit, int64_t height, int64_t width);
int df_vit_load_positions(struct df_vit *vit, const struct df_state *weights);
void df_vit_free_positions(struct df_vit *vit);

/* vit_tensor.c: a tensor as float32 in new host memory. NULL with the error set when it is missing, or, but
 * for the raw one, holds NaN or infinities, which would make nonsense that looks like a result. */
float *vit_host_tensor(const struct df_state *weights, const char *name);
float *vit_raw_tensor(const struct df_state *weights, const char *name);
/* Moves count floats to the device, to be freed with the weights. NULL with the error set. */
float *vit_device_vector(struct df_vit *vit, const float *values, int64_t count);

/* vit_dora.c: the layers with DoRA. What is loaded of one, from the host's weight [out, in] and bias [out]
 * (NULL: 0) before the layer scale `scale` (NULL: none) is in them; the factors of all, from the parameters
 * of now; the scratch memory; and the layer's passes, as those of layers without. */
int vit_dora_load(struct df_vit *vit, int64_t block, enum df_lora_layer layer, const float *weight,
                  const float *bias, const float *scale, int64_t out, int64_t in);
size_t vit_dora_bytes(const struct df_vit *vit);
void vit_dora_plan(struct df_vit *vit, struct df_arena *arena);
int vit_dora_find_factors(struct df_vit *vit);
int vit_dora_forward(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix x,
                     struct df_matrix y, const float *residual);
int vit_dora_backward(struct df_vit *vit, int64_t block, enum df_lora_layer layer, struct df_matrix x,
                      struct df_matrix dy, struct df_matrix dx);

/* vit_weights.c */
int df_vit_load_weights(struct df_vit *vit, const struct df_state *weights);
void df_vit_free_weights(struct df_vit *vit);

/* Whether the gradient of the input of a block's layer is wanted: above the first layer with LoRA. */
static inline bool vit_goes_below(const struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    return vit->keep && (block > vit->first_kept || (block == vit->first_kept && layer > vit->first_layer));
}

static inline bool vit_has_lora(const struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    return vit->keep && df_lora_columns(vit->options.lora, block, layer) > 0;
}

static inline bool vit_has_dora(const struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    return vit_has_lora(vit, block, layer) && vit->options.lora->dora;
}

static inline struct df_lora_use vit_lora(const struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    return (struct df_lora_use){
        .lora = vit->options.lora,
        .block = block,
        .layer = layer,
        .row_scale = vit_has_dora(vit, block, layer) ? vit->blocks[block].dora[layer].b_factors
                                                     : vit->blocks[block].row_scales[layer],
        .scaled_b = vit->scratch.lora_b,
        .down = vit->activations[block].lora_down[layer],
    };
}

static inline bool vit_has_dropout(const struct df_vit *vit)
{
    return vit->keep && vit->options.lora_dropout > 0.0;
}

/* What LoRA reads of a layer's input, in y, which may be x; x itself without dropout. */
static inline int vit_drop(const struct df_vit *vit, int64_t block, enum df_lora_layer layer,
                           struct df_matrix *x, void *y)
{
    const uint64_t stream = (uint64_t)(block * DF_LORA_LAYERS + layer);
    const void *from = x->data;

    if (!vit->drops)
        return 0;
    x->data = y;
    return vit->backend->ops->dropout(vit->backend, from, vit->dropout_draw, stream,
                                      vit->options.lora_dropout, y, x->rows, x->cols);
}

static inline struct df_linear *vit_linear(const struct df_vit *vit, int64_t block, enum df_lora_layer layer)
{
    const struct vit_block *b = &vit->blocks[block];
    struct df_linear *const layers[DF_LORA_LAYERS] = {b->qkv, b->proj, b->ffn_up, b->ffn_down};

    return layers[layer];
}

/* Columns of the layer ffn_up: SwiGLU computes both halves at once. */
static inline int64_t vit_ffn_width(const struct df_vit *vit)
{
    return vit->config.ffn == DF_FFN_SWIGLU ? 2 * vit->config.ffn_hidden : vit->config.ffn_hidden;
}

static inline struct df_token_rows vit_rows(const struct df_vit *vit, int64_t batch, int64_t first,
                                            int64_t rows)
{
    return (struct df_token_rows){batch, vit->tokens, first, rows};
}

static inline struct df_token_rows vit_all_rows(const struct df_vit *vit, int64_t batch)
{
    return vit_rows(vit, batch, 0, vit->tokens);
}

static inline struct df_token_rows vit_patch_rows(const struct df_vit *vit, int64_t batch)
{
    return vit_rows(vit, batch, vit->prefix, vit->patches);
}

static inline struct df_attention_shape vit_attention_shape(const struct df_vit *vit, int64_t batch)
{
    return (struct df_attention_shape){batch, vit->tokens, vit->config.heads, vit->config.head_size};
}

/* Channels of a layer's output. */
static inline int64_t vit_layer_width(const struct df_vit *vit, enum df_lora_layer layer)
{
    return layer == DF_LORA_IN_QKV  ? 3 * vit->config.dim
           : layer == DF_LORA_IN_UP ? vit_ffn_width(vit)
                                    : vit->config.dim;
}

/* What the dropout of a layer's input is written to: inputs are scratch that nobody reads any more, but for
 * the attention's output. */
static inline void *vit_dropped(const struct df_vit *vit, enum df_lora_layer layer, struct df_matrix x)
{
    return layer == DF_LORA_IN_PROJ ? vit->scratch.normed : x.data;
}

/* A contiguous matrix of the compute type, or of float32. */
static inline struct df_matrix vit_act(const struct df_vit *vit, void *data, int64_t rows, int64_t cols)
{
    return (struct df_matrix){data, vit->backend->compute, rows, cols, cols};
}

static inline struct df_matrix vit_f32(float *data, int64_t rows, int64_t cols)
{
    return (struct df_matrix){data, DF_F32, rows, cols, cols};
}

#endif
