/* The frozen backbone: DINOv2 and DINOv3 vision transformers, forward and backward.
 *
 * Weights are frozen, so the backward pass computes gradients of what leads to the LoRA tensors only, and
 * layer scale is folded into the linear layers in front of it when they are packed. Dimensions as in
 * dinoft/backend.h. */
#ifndef DINOFT_VIT_H
#define DINOFT_VIT_H

#include "lora.h"

#include "dinoft/vit_config.h"

struct df_vit_options {
    int64_t max_batch, height, width; /* of the images; multiples of the patch size */
    int n_features;                   /* how many blocks' outputs are handed out, at least 1 */
    enum df_layers layers;            /* which blocks these are */
    bool class_tokens;                /* also hand out the last block's normalised class token */
    const struct df_lora *lora;       /* NULL: none, or folded */
    const struct df_state *fold;      /* a checkpoint whose LoRA is folded into the weights; NULL: none */
    double lora_dropout;              /* training: of what LoRA reads; 0: none */
    bool training;                    /* keep what the backward pass through LoRA needs */
    bool recompute;      /* of every block but the last keep the input only, and compute the rest again */
    const char *path;    /* the weights' file, for error texts; NULL: "the backbone" */
    double rope_rescale; /* DINOv3, training: coordinates times a factor in [1/F, F]; 1: none */
};

struct df_vit;

/* Packs the weights of an official-named state. The state may be freed afterwards. NULL with the error set.
 * Without weights (NULL) nothing is packed: the result is good for df_vit_plan and df_vit_weight_bytes. */
struct df_vit *df_vit_create(struct df_backend *backend, const struct df_state *weights,
                             const struct df_vit_config *config, const struct df_vit_options *options);
void df_vit_free(struct df_vit *vit);

/* Takes the device memory for activations (see dinoft/arena.h for the two passes). */
void df_vit_plan(struct df_vit *vit, struct df_arena *arena);

/* Another largest batch and image size from now on: positions become those of the new grid. The activations
 * have to be planned again before the next forward pass. -1 with the error set. */
int df_vit_set_size(struct df_vit *vit, int64_t max_batch, int64_t height, int64_t width);

/* What the packed weights and the small tensors beside them take: for the forward pass, and in addition for
 * the backward pass (0 when nothing is kept for one). They need not be there. */
struct df_vit_weight_bytes {
    size_t forward, backward;
};
int df_vit_weight_bytes(const struct df_vit *vit, struct df_vit_weight_bytes *bytes);

/* Draws each block's RoPE factor for the training passes to come, where the options ask for rescaling; else
 * nothing is done, and rng may be NULL. */
int df_vit_rescale_rope(struct df_vit *vit, struct df_rng *rng);

/* Which elements the training passes to come drop, where the options ask for dropout: those of a step (key),
 * whose images before these are so many. */
int df_vit_draw_dropout(struct df_vit *vit, uint64_t key, int64_t first_image);

/* Gives new magnitudes of DoRA their first values, the lengths of the weights' rows. */
int df_vit_start_magnitudes(struct df_vit *vit);

/* image float32 [batch, 3, H, W], device. Afterwards the features are there. `training`: with the RoPE
 * factors that were drawn last. */
int df_vit_forward(struct df_vit *vit, const float *image, int64_t batch, bool training);

/* Normalised patch tokens [batch * P, D] of the i-th of the n_features blocks, i = n_features - 1 the
 * network's last. */
float *df_vit_feature(const struct df_vit *vit, int i);

/* Normalised class token [batch, D] of the last block. */
float *df_vit_class_token(const struct df_vit *vit);

/* Gradients of LoRA from dfeatures[i] [batch * P, D] (NULL: none flows into that one), after a forward
 * pass of the same batch. */
int df_vit_backward(struct df_vit *vit, int64_t batch, const float *const dfeatures[]);

#endif
