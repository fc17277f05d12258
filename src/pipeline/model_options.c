#include "dinoft/model_options.h"

#include "lora_options.h"

#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <string.h>

#define USUAL_CLASSES 21

static const char *name_of_size(enum df_family family, enum df_backbone_size size)
{
    const char *name = df_hub_name_for(family, size);

    if (!name)
        df_error_context("--size");
    return name;
}

const char *df_backbone_name(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const char *recorded = checkpoint ? checkpoint->record.backbone : "";
    enum df_family family = config->dino_type;
    struct df_vit_config vit;

    if (!*recorded || config->typed[DF_OPTION_DINO_TYPE])
        return name_of_size(family, config->size);
    if (!config->typed[DF_OPTION_SIZE])
        return recorded;
    if (df_vit_config_for_hub_name(recorded, &vit) == 0)
        family = vit.family;
    return name_of_size(family, config->size);
}

int df_backbone_dimensions(const struct df_config *config, const struct df_checkpoint *checkpoint,
                           struct df_vit_config *vit)
{
    const char *name = df_backbone_name(config, checkpoint);
    return name ? df_vit_config_for_hub_name(name, vit) : -1;
}

const char *df_typed_decoder(const struct df_config *config)
{
    return df_choice_text(DF_OPTION_DECODER, (int)config->decoder);
}

struct df_head df_typed_head(const struct df_config *config)
{
    return (struct df_head){
        .layers = config->decoder_layers, .norm = config->head_norm, .dropout = config->head_dropout};
}

static int choose_size(struct df_segmenter_options *options, const struct df_config *config,
                       const struct df_checkpoint *checkpoint, int64_t patch)
{
    int64_t wanted[2] = {config->img_dim[0], config->img_dim[1]};

    if (!config->typed[DF_OPTION_IMG_DIM] && checkpoint && checkpoint->record.img_dim[0] > 0) {
        wanted[0] = checkpoint->record.img_dim[0];
        wanted[1] = checkpoint->record.img_dim[1];
    }
    if (wanted[0] < patch || wanted[1] < patch)
        return df_error_set("--img_dim %" PRId64 " %" PRId64 " is smaller than one patch of %" PRId64
                            " x %" PRId64,
                            wanted[0], wanted[1], patch, patch);
    if (wanted[0] * wanted[1] > DF_IMAGE_MAX_PIXELS)
        return df_error_set("--img_dim %" PRId64 " %" PRId64 " is more than %" PRId64 " pixels", wanted[0],
                            wanted[1], DF_IMAGE_MAX_PIXELS);
    options->height = wanted[0] - wanted[0] % patch;
    options->width = wanted[1] - wanted[1] % patch;
    if (options->height != wanted[0] || options->width != wanted[1])
        df_log("image size lowered from %" PRId64 " x %" PRId64 " to %" PRId64 " x %" PRId64
               ", a multiple of the patch size %" PRId64,
               wanted[0], wanted[1], options->height, options->width, patch);
    return 0;
}

/* What the weights are known to want is said where it is chosen, and where it is not. */
static int normalize_for_weights(const struct df_config *config, const struct df_vit_config *vit,
                                 const char *weights, struct df_normalize *normalize)
{
    const bool typed = strcmp(config->normalize, DF_NORMALIZE_AUTO) != 0;
    char chosen[DF_NORMALIZE_TEXT], wanted[DF_NORMALIZE_TEXT];
    struct df_normalize known;
    const char *why = NULL;

    if (weights && df_normalize_of_backbone(weights, vit, &known, &why) != 0) {
        if (!typed)
            return -1;
        df_log("warning: %s", df_error_text());
    }
    if (!why)
        return 0;
    df_normalize_text(&known, wanted);
    df_normalize_text(normalize, chosen);
    if (typed && strcmp(chosen, wanted) != 0)
        df_log("warning: --normalize %s, where %s wants %s, %s", chosen, weights, wanted, why);
    if (typed || strcmp(chosen, wanted) == 0)
        return 0;
    df_log("normalize %s, which %s wants, %s (--normalize says otherwise)", wanted, weights, why);
    *normalize = known;
    return 0;
}

static int choose_normalization(struct df_segmenter_options *options, const struct df_config *config,
                                const struct df_checkpoint *checkpoint, const struct df_vit_config *vit,
                                const char *weights)
{
    const bool is_auto = strcmp(config->normalize, DF_NORMALIZE_AUTO) == 0;
    const char *word = !is_auto                                 ? config->normalize
                       : checkpoint                             ? checkpoint->record.normalize
                       : df_recipe_is_reference(config->recipe) ? "none"
                                                                : "imagenet";
    struct df_normalize normalize;

    DF_TRY(df_normalize_parse(*word ? word : "none", &normalize)); /* "": there is no record */
    if (!is_auto || (!checkpoint && !df_recipe_is_reference(config->recipe)))
        DF_TRY(normalize_for_weights(config, vit, weights, &normalize));
    memcpy(options->mean, normalize.mean, sizeof options->mean);
    memcpy(options->std, normalize.std, sizeof options->std);
    return 0;
}

static struct df_optimizer_options optimizer_options(const struct df_config *config)
{
    return (struct df_optimizer_options){
        .lr_head = config->lr_head,
        .lr_lora = config->lr_lora,
        .lora_scale = 1.0,
        .lora_plus = config->lora_plus,
        .weight_decay = config->weight_decay,
        .decay_1d = config->decay_1d,
        .grad_clip = config->grad_clip,
        .ema = config->ema,
    };
}

int df_model_options(struct df_segmenter_options *options, const struct df_config *config,
                     const struct df_checkpoint *checkpoint, const struct df_vit_config *vit,
                     const char *weights)
{
    *options = (struct df_segmenter_options){
        .decoder = checkpoint ? checkpoint->decoder->name : df_typed_decoder(config),
        .head = checkpoint ? checkpoint->head : df_typed_head(config),
        .classes = checkpoint              ? checkpoint->classes
                   : config->n_classes > 0 ? config->n_classes
                                           : USUAL_CLASSES,
        .merged = config->merge_lora,
        .max_batch = config->batch_size / config->accumulate,
        .recompute = config->recompute,
        .keeps_ratio = config->resize == DF_RESIZE_SHORT,
        .accumulates = config->accumulate > 1,
        .optimizer = optimizer_options(config),
        .loss = {.kind = config->loss,
                 .gamma = config->focal_gamma,
                 .threshold = config->ohem_threshold,
                 .least = config->ohem_min_kept,
                 .region = config->region_factor,
                 .smoothing = config->label_smoothing},
        .lora_dropout = config->lora_dropout,
        .rope_rescale = config->rope_rescale,
        .backbone_path = weights,
        .checkpoint_path = config->lora_weights,
    };
    if (checkpoint)
        lora_options_recorded(options, checkpoint);
    else if (config->use_lora)
        DF_TRY(lora_options_typed(options, config, vit));
    DF_TRY(choose_normalization(options, config, checkpoint, vit, weights));
    return choose_size(options, config, checkpoint, vit->patch);
}
