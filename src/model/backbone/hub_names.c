#include "dinoft/vit_config.h"

#include "names.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Every backbone that torch.hub offers, and those of others that share the architecture. Of DINOv2's pairs
 * the variant with registers is the one that a size means. */
static const struct hub_model {
    const char *name;
    bool chosen; /* by its family and size */
    enum df_backbone_size size;
    enum df_family family;
    int64_t dim, depth, registers;
    enum df_ffn ffn;
    int64_t ffn_hidden;
    const char *sign; /* of models with the shapes of others: a word in the names of their files */
} models[] = {
    {"dinov2_vits14", false, DF_SMALL, DF_DINOV2, 384, 12, 0, DF_FFN_MLP, 1536, NULL},
    {"dinov2_vitb14", false, DF_BASE, DF_DINOV2, 768, 12, 0, DF_FFN_MLP, 3072, NULL},
    {"dinov2_vitl14", false, DF_LARGE, DF_DINOV2, 1024, 24, 0, DF_FFN_MLP, 4096, NULL},
    {"dinov2_vitg14", false, DF_GIANT, DF_DINOV2, 1536, 40, 0, DF_FFN_SWIGLU, 4096, NULL},
    {"dinov2_vits14_reg", true, DF_SMALL, DF_DINOV2, 384, 12, 4, DF_FFN_MLP, 1536, NULL},
    {"dinov2_vitb14_reg", true, DF_BASE, DF_DINOV2, 768, 12, 4, DF_FFN_MLP, 3072, NULL},
    {"dinov2_vitl14_reg", true, DF_LARGE, DF_DINOV2, 1024, 24, 4, DF_FFN_MLP, 4096, NULL},
    {"dinov2_vitg14_reg", true, DF_GIANT, DF_DINOV2, 1536, 40, 4, DF_FFN_SWIGLU, 4096, NULL},
    {"dinov3_vits16", true, DF_SMALL, DF_DINOV3, 384, 12, 4, DF_FFN_MLP, 1536, NULL},
    {"dinov3_vits16plus", true, DF_SMALL_PLUS, DF_DINOV3, 384, 12, 4, DF_FFN_SWIGLU, 1536, NULL},
    {"dinov3_vitb16", true, DF_BASE, DF_DINOV3, 768, 12, 4, DF_FFN_MLP, 3072, NULL},
    {"dinov3_vitl16", true, DF_LARGE, DF_DINOV3, 1024, 24, 4, DF_FFN_MLP, 4096, NULL},
    {"dinov3_vitl16plus", true, DF_LARGE_PLUS, DF_DINOV3, 1024, 24, 4, DF_FFN_SWIGLU, 4096, NULL},
    {"dinov3_vith16plus", true, DF_HUGE_PLUS, DF_DINOV3, 1280, 32, 4, DF_FFN_SWIGLU, 5120, NULL},
    {"dinov3_vit7b16", true, DF_7B, DF_DINOV3, 4096, 40, 4, DF_FFN_SWIGLU, 8192, NULL},
    {"dinov3_vitl16_sat493m", false, DF_LARGE, DF_DINOV3, 1024, 24, 4, DF_FFN_MLP, 4096, "sat493m"},
    {"dinov3_vit7b16_sat493m", false, DF_7B, DF_DINOV3, 4096, 40, 4, DF_FFN_SWIGLU, 8192, "sat493m"},
    {"lingbot_vision_vits16", false, DF_SMALL, DF_DINOV3, 384, 12, 4, DF_FFN_MLP, 1536, "lingbot"},
    {"lingbot_vision_vitb16", false, DF_BASE, DF_DINOV3, 768, 12, 4, DF_FFN_MLP, 3072, "lingbot"},
    {"lingbot_vision_vitl16", false, DF_LARGE, DF_DINOV3, 1024, 24, 4, DF_FFN_MLP, 4096, "lingbot"},
    {"lingbot_vision_vitg16", false, DF_GIANT, DF_DINOV3, 1536, 40, 4, DF_FFN_SWIGLU, 4096, NULL},
    {"tipsv2_vitb14", false, DF_BASE, DF_DINOV2, 768, 12, 1, DF_FFN_MLP, 3072, NULL},
    {"tipsv2_vitl14", false, DF_LARGE, DF_DINOV2, 1024, 24, 1, DF_FFN_MLP, 4096, NULL},
    {"tipsv2_vitg14", false, DF_GIANT, DF_DINOV2, 1536, 40, 1, DF_FFN_SWIGLU, 4096, NULL},
};

#define MODEL_COUNT   (sizeof models / sizeof models[0])
#define PRETRAIN_GRID 37   /* DINOv2's pos_embed: 518 / 14 */
#define TIPS_GRID     32   /* TIPSv2's: 448 / 14 */
#define WITHOUT_BIAS  1536 /* channels of the model of DINOv3's kind that has no qkv bias, like the 7B */

static const char *const family_names[] = {DF_FAMILIES(DF_CHOICE_TEXT)};
static const char *const size_names[] = {DF_BACKBONE_SIZES(DF_CHOICE_TEXT)};
static const char *const interpolation_names[] = {DF_POS_INTERPOLATIONS(DF_CHOICE_TEXT)};

const char *df_family_name(enum df_family family)
{
    return family_names[family];
}

const char *df_backbone_size_name(enum df_backbone_size size)
{
    return size_names[size];
}

const char *df_pos_interpolation_name(enum df_pos_interpolation interpolation)
{
    return interpolation_names[interpolation];
}

static bool contains(const char *text, size_t length, const char *word)
{
    const size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++) {
        size_t same = 0;
        while (same < size && tolower((unsigned char)text[i + same]) == word[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

/* The last folder of a path of so many characters, or the one that a cache of Hugging Face's has for a
 * repository: models--facebook--dinov3-vitl16-pretrain-sat493m/snapshots/REVISION. */
static bool is_folder_named(const char *path, size_t length, const char *word)
{
    for (size_t start = 0, end = 0; start < length; start = end + 1) {
        for (end = start; end < length && path[end] != '/'; end++)
            ;
        if ((end == length || df_text_starts_with(path + start, "models--")) &&
            contains(path + start, end - start, word))
            return true;
    }
    return false;
}

bool df_weights_are_named(const char *path, const char *word)
{
    const char *name = df_path_name(path);
    const size_t folder = (size_t)(name - path); /* with the slash behind it */
    char here[4096];

    if (contains(name, strlen(name), word))
        return true;
    if (folder > 0 && strncmp(path, "./", folder) != 0)
        return is_folder_named(path, folder - 1, word);
    return getcwd(here, sizeof here) && is_folder_named(here, strlen(here), word);
}

static bool has_shapes(const struct hub_model *m, const struct df_vit_config *config)
{
    return m->family == config->family && m->dim == config->dim && m->depth == config->depth &&
           m->registers == config->registers && m->ffn == config->ffn && m->ffn_hidden == config->ffn_hidden;
}

const char *df_vit_hub_name(const struct df_vit_config *config)
{
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        if (has_shapes(&models[i], config) && !models[i].sign)
            return models[i].name;
    }
    return NULL;
}

const char *df_vit_hub_name_of(const struct df_vit_config *config, const char *path)
{
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        if (has_shapes(&models[i], config) && models[i].sign && df_weights_are_named(path, models[i].sign))
            return models[i].name;
    }
    return df_vit_hub_name(config);
}

bool df_vit_has_size(const struct df_vit_config *config, enum df_backbone_size size)
{
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        if (models[i].size == size && has_shapes(&models[i], config))
            return true;
    }
    return false;
}

const char *df_vit_size_word(const struct df_vit_config *config, char text[DF_VIT_SIZE_WORD])
{
    const char *name = df_vit_hub_name(config);

    snprintf(text, DF_VIT_SIZE_WORD, "%" PRId64 "x%" PRId64, config->dim, config->depth);
    for (size_t i = 0; name && i < MODEL_COUNT; i++) {
        if (models[i].name == name)
            snprintf(text, DF_VIT_SIZE_WORD, "%s", size_names[models[i].size]);
    }
    return text;
}

const char *df_vit_describe(const struct df_vit_config *config, char text[DF_VIT_TEXT])
{
    const char *name = df_vit_hub_name(config);

    if (name)
        snprintf(text, DF_VIT_TEXT, "%s", name);
    else
        snprintf(text, DF_VIT_TEXT,
                 "a %s of %" PRId64 " channels in %" PRId64 " heads, %" PRId64 " blocks, patches of %" PRId64
                 ", %" PRId64 " registers, %s of %" PRId64,
                 df_family_name(config->family), config->dim, config->heads, config->depth, config->patch,
                 config->registers, config->ffn == DF_FFN_SWIGLU ? "SwiGLU" : "MLP", config->ffn_hidden);
    return text;
}

const char *df_hub_name_for(enum df_family family, enum df_backbone_size size)
{
    char sizes[128] = "";
    size_t used = 0;

    for (size_t i = 0; i < MODEL_COUNT; i++) {
        if (!models[i].chosen || models[i].family != family)
            continue;
        if (models[i].size == size)
            return models[i].name;
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%s", used ? ", " : "",
                                 size_names[models[i].size]);
    }
    df_error_set("%s has no size %s, it has %s", family_names[family], size_names[size], sizes);
    return NULL;
}

int df_vit_config_for_hub_name(const char *hub_name, struct df_vit_config *config)
{
    const struct hub_model *model = NULL;
    const char *names[MODEL_COUNT];

    for (size_t i = 0; i < MODEL_COUNT; i++) {
        names[i] = models[i].name;
        if (strcmp(models[i].name, hub_name) == 0)
            model = &models[i];
    }
    if (!model) {
        int nearest = df_text_nearest(hub_name, names, (int)MODEL_COUNT);
        return nearest < 0
                   ? df_error_set("no backbone is called %s", hub_name)
                   : df_error_set("no backbone is called %s; did you mean %s?", hub_name, names[nearest]);
    }
    bool dinov2 = model->family == DF_DINOV2;
    bool is_7b = model->dim == DF_DIM_OF_7B;
    int64_t head_size = is_7b ? 128 : 64;
    *config = (struct df_vit_config){
        .family = model->family,
        .dim = model->dim,
        .depth = model->depth,
        .heads = model->dim / head_size,
        .head_size = head_size,
        .patch = dinov2 ? 14 : 16,
        .registers = model->registers,
        .ffn = model->ffn,
        .ffn_hidden = model->ffn_hidden,
        .pos_grid = !dinov2                 ? 0
                    : model->registers == 1 ? TIPS_GRID
                                            : PRETRAIN_GRID,
        .qkv_bias = dinov2 || (!is_7b && model->dim != WITHOUT_BIAS),
        .has_cls_norm = false,
        .layernorm_eps = dinov2 ? 1e-6f : 1e-5f,
    };
    return 0;
}
