/* What a backbone is: its dimensions, read off the shapes of its weights, and its official names. */
#ifndef DINOFT_VIT_CONFIG_H
#define DINOFT_VIT_CONFIG_H

#include "dinoft/choice.h"
#include "dinoft/state.h"

#include <stdbool.h>
#include <stdint.h>

/* Far above any model; products of these stay far below an overflow. */
#define DF_VIT_MAX_DIM       16384
#define DF_VIT_MAX_DEPTH     1024
#define DF_VIT_MAX_HIDDEN    131072
#define DF_VIT_MAX_PATCH     64
#define DF_VIT_MAX_REGISTERS 64

#define DF_VIT_MAX_FEATURES 16 /* blocks whose outputs a backbone can be asked for */

/* Which blocks these are: the last ones, or the last of each of as many parts of the depth. */
#define DF_LAYERS(X) X(DF_LAYERS_LAST, "last") X(DF_LAYERS_EVEN, "even")
enum df_layers { DF_LAYERS(DF_CHOICE_ID) };

#define DF_FAMILIES(X) X(DF_DINOV2, "dinov2") X(DF_DINOV3, "dinov3")
enum df_family { DF_FAMILIES(DF_CHOICE_ID) };

#define DF_BACKBONE_SIZES(X)                                                                                 \
    X(DF_SMALL, "small")                                                                                     \
    X(DF_BASE, "base")                                                                                       \
    X(DF_LARGE, "large")                                                                                     \
    X(DF_GIANT, "giant")                                                                                     \
    X(DF_SMALL_PLUS, "small+")                                                                               \
    X(DF_LARGE_PLUS, "large+")                                                                               \
    X(DF_HUGE_PLUS, "huge+")                                                                                 \
    X(DF_HUGE, "huge") /* the reference project's word for huge+ */                                          \
    X(DF_7B, "7b")
enum df_backbone_size { DF_BACKBONE_SIZES(DF_CHOICE_ID) };

enum df_ffn { DF_FFN_MLP, DF_FFN_SWIGLU };

/* Whose code places a learned table of positions on another grid. No file of weights says it. */
#define DF_POS_INTERPOLATIONS(X)                                                                             \
    X(DF_POS_OFFICIAL, "official") X(DF_POS_HUGGINGFACE, "huggingface") X(DF_POS_TIMM, "timm")
enum df_pos_interpolation { DF_POS_INTERPOLATIONS(DF_CHOICE_ID) };

struct df_vit_config {
    enum df_family family;
    int64_t dim, depth, heads, head_size;
    int64_t patch;
    int64_t registers; /* register / storage tokens: 0, 1 in TIPSv2, 4, or others */
    enum df_ffn ffn;
    int64_t ffn_hidden; /* MLP: width of fc1; SwiGLU: width of one half */
    int64_t pos_grid;   /* DINOv2: pos_embed is [1, 1 + pos_grid^2, dim]; DINOv3: 0 */
    bool qkv_bias;
    bool has_cls_norm;   /* DINOv3: cls_norm serves class + storage tokens, norm the patches */
    float layernorm_eps; /* 1e-6 DINOv2, 1e-5 DINOv3 */
    enum df_pos_interpolation pos_interpolation; /* of a table; official where files are read */
};

/* DINOv2's models have four registers or none. TIPS has one, and places its positions and normalises its
 * images in other ways. */
static inline bool df_vit_is_tips(const struct df_vit_config *config)
{
    return config->family == DF_DINOV2 && config->registers == 1;
}

/* The i-th of n blocks (n at most depth), from 0 on: with "even", blocks 2, 5, 8 and 11 are four of 12. */
static inline int64_t df_layers_block(enum df_layers layers, int64_t depth, int64_t n, int64_t i)
{
    return layers == DF_LAYERS_EVEN ? (i + 1) * depth / n - 1 : depth - n + i;
}

/* Reads the configuration off a state dict with official names (see df_backbone_read). -1 with the error
 * naming the tensor that is missing or has an impossible shape (found, expected). Every block's shapes are
 * checked. */
int df_vit_config_read(const struct df_state *state, struct df_vit_config *config);

/* DINOv3's RoPE periods where a file stores none: 100^(2k / (head_size / 2)), k = 0 .. head_size / 4 - 1. */
void df_rope_default_periods(int64_t head_size, float *periods);

/* "dinov2" / "dinov3". */
const char *df_family_name(enum df_family family);

/* "huggingface" */
const char *df_pos_interpolation_name(enum df_pos_interpolation interpolation);

/* "small+" */
const char *df_backbone_size_name(enum df_backbone_size size);

/* torch.hub's name for the dimensions ("dinov2_vitl14_reg", "dinov3_vith16plus"), or that of a family that
 * shares the architecture ("tipsv2_vitb14"); NULL if none has them. */
const char *df_vit_hub_name(const struct df_vit_config *config);

/* The same of the weights in `path`. Where several models have the dimensions, a word in the name of the file
 * or of its folder tells which it is: "dinov3_vitl16_sat493m", "lingbot_vision_vits16". */
const char *df_vit_hub_name_of(const struct df_vit_config *config, const char *path);

/* Whether a word, in small letters, is in the name of a file of weights or of its folder, in letters of any
 * case. In a cache of Hugging Face's the folder is the repository's. */
bool df_weights_are_named(const char *path, const char *word);

/* "small+" for a size that torch.hub has; else channels and blocks, "192x6". Returns the buffer. */
#define DF_VIT_SIZE_WORD 48
const char *df_vit_size_word(const struct df_vit_config *config, char text[DF_VIT_SIZE_WORD]);

/* That name, or the dimensions in words. Returns the buffer. */
#define DF_VIT_TEXT 192
const char *df_vit_describe(const struct df_vit_config *config, char text[DF_VIT_TEXT]);

/* The hub name of a family's backbone of that size; of DINOv2 the variant with registers. NULL with the error
 * set, naming the sizes that exist. */
const char *df_hub_name_for(enum df_family family, enum df_backbone_size size);

/* Whether a backbone is what a size means, in its own or in a family that shares the architecture. */
bool df_vit_has_size(const struct df_vit_config *config, enum df_backbone_size size);

/* The dimensions behind a hub name; -1 with the error set for an unknown one. */
int df_vit_config_for_hub_name(const char *hub_name, struct df_vit_config *config);

#endif
