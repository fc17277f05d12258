#include "dinoft/setup.h"

#include "recorded_settings.h"

#include "dinoft/atomic_write.h"
#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/log.h"
#include "dinoft/weight_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float imagenet_mean[3] = {0.485f, 0.456f, 0.406f};
static const float imagenet_std[3] = {0.229f, 0.224f, 0.225f};

const char *df_setup_backbone_name(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const char *recorded = checkpoint ? checkpoint->record.backbone : "";
    const char *family = config->dino_type;
    struct df_vit_config vit;

    if (!*recorded || config->typed[DF_OPTION_DINO_TYPE])
        return df_hub_name_for(family, config->size);
    if (!config->typed[DF_OPTION_SIZE])
        return recorded;
    if (df_vit_config_for_hub_name(recorded, &vit) == 0)
        family = df_family_name(vit.family);
    return df_hub_name_for(family, config->size);
}

static int open_backbone(struct df_setup *setup, const struct df_config *config)
{
    if (config->weights) {
        setup->weights_path = df_find_typed_weights(config->weights);
    } else {
        const char *name = df_setup_backbone_name(config, setup->checkpoint);
        setup->weights_path = name ? df_find_backbone(name) : NULL;
    }
    if (!setup->weights_path)
        return -1;
    setup->backbone = df_backbone_read(setup->weights_path, &setup->vit);
    return setup->backbone ? 0 : -1;
}

/* --size and --dino_type choose a file; where --weights does, they are checked only if they were typed. */
static int check_typed_backbone(const struct df_setup *setup, const struct df_config *config)
{
    struct df_vit_config typed;

    if (config->typed[DF_OPTION_DINO_TYPE] &&
        strcmp(df_family_name(setup->vit.family), config->dino_type) != 0)
        return df_error_set("%s holds a %s backbone, --dino_type says %s", setup->weights_path,
                            df_family_name(setup->vit.family), config->dino_type);
    if (!config->typed[DF_OPTION_SIZE])
        return 0;
    const char *name = df_hub_name_for(df_family_name(setup->vit.family), config->size);
    if (!name || df_vit_config_for_hub_name(name, &typed) != 0)
        return -1;
    if (typed.dim != setup->vit.dim || typed.depth != setup->vit.depth)
        return df_error_set(
            "%s has %" PRId64 " channels and %" PRId64 " blocks, --size %s has %" PRId64 " and %" PRId64,
            setup->weights_path, setup->vit.dim, setup->vit.depth, config->size, typed.dim, typed.depth);
    if (typed.ffn != setup->vit.ffn)
        return df_error_set("%s has a%s FFN, --size %s has a%s one", setup->weights_path,
                            setup->vit.ffn == DF_FFN_SWIGLU ? " SwiGLU" : "n MLP", config->size,
                            typed.ffn == DF_FFN_SWIGLU ? " SwiGLU" : "n MLP");
    return 0;
}

int df_setup_image_size(const struct df_config *config, const struct df_checkpoint *checkpoint, int64_t patch,
                        int64_t *height, int64_t *width)
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
    *height = wanted[0] - wanted[0] % patch;
    *width = wanted[1] - wanted[1] % patch;
    if (*height != wanted[0] || *width != wanted[1])
        df_log("image size lowered from %" PRId64 " x %" PRId64 " to %" PRId64 " x %" PRId64
               ", a multiple of the patch size %" PRId64,
               wanted[0], wanted[1], *height, *width, patch);
    return 0;
}

/* A checkpoint on a backbone that is not its own gives numbers, and wrong ones. */
static int check_trained_on(const struct df_setup *setup)
{
    const struct df_config *config = &setup->config;
    char other[DF_ERROR_TEXT_MAX];

    if (df_checkpoint_check_trained_on(setup->checkpoint, config->lora_weights, setup->backbone, &setup->vit,
                                       setup->weights_path) != 0) {
        snprintf(other, sizeof other, "%s", df_error_text());
        if (!config->allow_other_backbone)
            return df_error_set("%s (--weights names another file; --allow_other_backbone uses this one)",
                                other);
        df_log("%s; it is used all the same (--allow_other_backbone)", other);
    }
    return df_checkpoint_check_backbone(setup->checkpoint, &setup->vit, config->lora_weights);
}

static void choose_normalization(struct df_setup *setup, const struct df_config *config)
{
    const struct df_checkpoint *checkpoint = setup->checkpoint;
    const char *wanted = config->normalize;

    if (strcmp(wanted, "auto") == 0 && checkpoint)
        wanted = checkpoint->record.normalize; /* "" where there is no record */
    else if (strcmp(wanted, "auto") == 0)
        wanted = strcmp(config->recipe, "reference") == 0 ? "none" : "imagenet";
    bool imagenet = strcmp(wanted, "imagenet") == 0;
    setup->normalize = imagenet ? "imagenet" : "none";
    for (int i = 0; i < 3; i++) {
        setup->mean[i] = imagenet ? imagenet_mean[i] : 0.0f;
        setup->std[i] = imagenet ? imagenet_std[i] : 1.0f;
    }
}

int df_setup_open(struct df_setup *setup, const struct df_config *typed)
{
    const struct df_config *config = &setup->config;

    memset(setup, 0, sizeof *setup);
    setup->config = *typed;
    if (config->lora_weights) {
        setup->checkpoint = df_checkpoint_open(config->lora_weights);
        if (!setup->checkpoint || recorded_settings_take(&setup->config, setup->checkpoint) != 0)
            return -1;
    }
    DF_TRY(open_backbone(setup, config));
    DF_TRY(check_typed_backbone(setup, config));
    if (setup->checkpoint)
        DF_TRY(check_trained_on(setup));
    DF_TRY(df_setup_image_size(config, setup->checkpoint, setup->vit.patch, &setup->height, &setup->width));
    choose_normalization(setup, config);
    setup->backend = df_backend_open(config->device, config->precision, (int)config->threads);
    if (setup->backend && !strcmp(setup->backend->name, "cpu") && setup->backend->compute == DF_BF16 &&
        !df_cpu_bf16_is_native())
        df_log("this processor does not compute bf16 itself: --precision fp32 may be faster");
    return setup->backend ? 0 : -1;
}

void df_setup_close(struct df_setup *setup)
{
    df_setup_release_backbone(setup);
    df_checkpoint_free(setup->checkpoint);
    df_backend_close(setup->backend);
    free(setup->weights_path);
    memset(setup, 0, sizeof *setup);
}

int df_setup_check_output(const struct df_setup *setup, const struct df_config *config, const char *path)
{
    DF_TRY(df_check_other_file(path, setup->weights_path));
    DF_TRY(df_check_other_file(path, config->lora_weights));
    return df_check_other_file(path, config->class_names);
}

const struct df_decoder_kind *df_setup_decoder(const struct df_config *config)
{
    return df_decoder_kind_named(config->use_fpn ? "fpn" : "linear");
}

/* Training from a checkpoint: what was asked for must be what it holds. */
static int check_training_checkpoint(const struct df_checkpoint *checkpoint, const struct df_config *config,
                                     int64_t classes)
{
    const char *decoder = df_setup_decoder(config)->name;
    if (strcmp(checkpoint->decoder->name, decoder) != 0)
        return df_error_set("%s holds a decoder of type %s, asked for is %s (--use_fpn %s)",
                            config->lora_weights, checkpoint->decoder->name, decoder,
                            config->use_fpn ? "given" : "not given");
    const char *trained = checkpoint->record.dataset;
    if (checkpoint->classes != classes)
        return df_error_set("%s is for %" PRId64 " classes%s%s, the data set %s has %" PRId64,
                            config->lora_weights, checkpoint->classes, *trained ? " of " : "", trained,
                            config->dataset, classes);
    if (!config->use_lora && checkpoint->rank > 0)
        return df_error_set("%s holds LoRA of rank %" PRId64 ", but --no_use_lora was given",
                            config->lora_weights, checkpoint->rank);
    if (config->use_lora && checkpoint->rank == 0)
        return df_error_set("%s holds no LoRA, but --use_lora was given", config->lora_weights);
    if (config->use_lora && config->typed[DF_OPTION_R] && config->r != checkpoint->rank)
        return df_error_set("%s holds LoRA of rank %" PRId64 ", --r says %" PRId64, config->lora_weights,
                            checkpoint->rank, config->r);
    return 0;
}

void df_setup_release_backbone(struct df_setup *setup)
{
    df_state_free(setup->backbone);
    setup->backbone = NULL;
}

struct df_segmenter *df_setup_segmenter(struct df_setup *setup, const struct df_config *config,
                                        enum df_model_use use, int64_t classes, int64_t max_batch)
{
    const bool training = use == DF_MODEL_TRAINS || use == DF_MODEL_TRAINS_DECODER;
    const bool fed_images = use == DF_MODEL_TRAINS || use == DF_MODEL_EVALUATES_FEED;
    const struct df_checkpoint *checkpoint = setup->checkpoint;
    struct df_segmenter_options options = {
        .decoder = checkpoint ? checkpoint->decoder->name : df_setup_decoder(config)->name,
        .classes = classes,
        .rank = checkpoint         ? checkpoint->rank
                : config->use_lora ? config->r
                                   : 0,
        .max_batch = max_batch,
        .height = setup->height,
        .width = setup->width,
        .training = training,
        .recompute = config->recompute,
        .features_given = use == DF_MODEL_TRAINS_DECODER,
        .packed = fed_images && setup->backend->resizes,
        .rope_rescale = config->rope_rescale,
        .backbone_path = setup->weights_path,
        .checkpoint_path = config->lora_weights,
    };
    if (training && checkpoint && check_training_checkpoint(checkpoint, config, classes) != 0)
        return NULL;
    memcpy(options.mean, setup->mean, sizeof options.mean);
    memcpy(options.std, setup->std, sizeof options.std);
    struct df_segmenter *segmenter =
        df_segmenter_create(setup->backend, setup->backbone, &setup->vit, &options,
                            checkpoint ? checkpoint->state : NULL, (uint64_t)config->seed);
    if (segmenter && !options.features_given)
        df_setup_release_backbone(setup);
    return segmenter;
}
