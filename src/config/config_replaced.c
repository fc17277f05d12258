/* Values of a settings file that go with others, and what flags that are typed leave of them. */
#include "config_file.h"

/* What is typed, or the file's. */
static enum df_decoder_choice decoder_of(const struct df_config_file *file, const bool *typed,
                                         const struct df_config *config)
{
    if (typed[DF_OPTION_DECODER])
        return config->decoder;
    return typed[DF_OPTION_USE_FPN] && config->use_fpn ? DF_DECODER_FPN : file->found.decoder;
}

/* Else it is the checkpoint's. */
static bool names_decoder(const struct df_config_file *file, const bool *typed)
{
    return file->has[DF_OPTION_DECODER] || file->has[DF_OPTION_USE_FPN] || typed[DF_OPTION_DECODER] ||
           typed[DF_OPTION_USE_FPN] || !file->found.lora_weights;
}

static bool is_of_another_folder(const bool *typed, const struct df_config *config)
{
    return typed[DF_OPTION_DATASET] && config->dataset != DF_DATASET_FOLDER;
}

/* The places that images may be in, by the flag that names each. */
static enum df_option place_of(enum df_option option)
{
    switch (option) {
    case DF_OPTION_LAYOUT:
    case DF_OPTION_ANNOTATIONS:
        return DF_OPTION_DATA_ROOT;
    case DF_OPTION_MASKS:
        return DF_OPTION_IMAGES;
    default:
        return option;
    }
}

/* A flag of another place is typed. */
static bool is_elsewhere(const bool *typed, enum df_option option)
{
    static const enum df_option ways[] = {DF_OPTION_DATA_ROOT, DF_OPTION_LAYOUT, DF_OPTION_ANNOTATIONS,
                                          DF_OPTION_IMAGES, DF_OPTION_PAIRS};

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (place_of(ways[i]) != place_of(option) && typed[ways[i]])
            return true;
    }
    return false;
}

static bool is_of_another_set(const struct df_config_file *file, const bool *typed,
                              const struct df_config *config)
{
    return typed[DF_OPTION_DATASET] && config->dataset != file->found.dataset;
}

/* A schedule of the file's own has left 0 where it has no use for the recipe's value. */
bool config_is_replaced(const struct df_config_file *file, const bool *typed, const struct df_config *config,
                        enum df_option option)
{
    switch (option) {
    case DF_OPTION_WEIGHTS:
        return typed[DF_OPTION_SIZE] || typed[DF_OPTION_DINO_TYPE];
    case DF_OPTION_SIZE:
    case DF_OPTION_DINO_TYPE:
        return typed[DF_OPTION_WEIGHTS];
    case DF_OPTION_N_CLASSES:
    case DF_OPTION_CLASS_NAMES:
    case DF_OPTION_IGNORE_VALUE:
        return is_of_another_folder(typed, config);
    case DF_OPTION_MERGE_CLASSES:
    case DF_OPTION_IGNORE_CLASSES:
        return is_of_another_set(file, typed, config);
    case DF_OPTION_PALETTE:
        return typed[DF_OPTION_MASK_VALUES] || is_of_another_folder(typed, config);
    case DF_OPTION_MASK_VALUES:
        return typed[DF_OPTION_PALETTE] || is_of_another_folder(typed, config);
    case DF_OPTION_LAYOUT:
        return is_of_another_folder(typed, config) || is_elsewhere(typed, option) ||
               typed[DF_OPTION_ANNOTATIONS];
    case DF_OPTION_ANNOTATIONS:
        return is_of_another_folder(typed, config) || is_elsewhere(typed, option) || typed[DF_OPTION_LAYOUT];
    case DF_OPTION_IMAGES:
    case DF_OPTION_MASKS:
    case DF_OPTION_PAIRS:
        return is_of_another_folder(typed, config) || is_elsewhere(typed, option);
    case DF_OPTION_DATA_ROOT:
        return is_elsewhere(typed, option);
    case DF_OPTION_FOLD: /* annotations tell the images of each split */
        return is_of_another_folder(typed, config) || typed[DF_OPTION_TRAIN_LIST] ||
               typed[DF_OPTION_VAL_LIST] || typed[DF_OPTION_VAL_FRACTION] || typed[DF_OPTION_ANNOTATIONS];
    case DF_OPTION_VAL_FRACTION:
    case DF_OPTION_SPLIT_SEED: /* a seed goes with its fraction */
        return is_of_another_folder(typed, config) || typed[DF_OPTION_TRAIN_LIST] ||
               typed[DF_OPTION_VAL_LIST] || typed[DF_OPTION_FOLD] || typed[DF_OPTION_ANNOTATIONS] ||
               (option == DF_OPTION_SPLIT_SEED && typed[DF_OPTION_VAL_FRACTION]);
    case DF_OPTION_TRAIN_LIST:
    case DF_OPTION_VAL_LIST:
        return typed[DF_OPTION_VAL_FRACTION] || typed[DF_OPTION_FOLD] || typed[DF_OPTION_ANNOTATIONS] ||
               is_of_another_set(file, typed, config);
    case DF_OPTION_WARMUP_STEPS:
        return typed[DF_OPTION_WARMUP_EPOCHS] ||
               (typed[DF_OPTION_RECIPE] && df_recipe_is_reference(config->recipe)) ||
               (typed[DF_OPTION_SCHEDULE] && config->schedule == DF_SCHEDULE_ONECYCLE);
    case DF_OPTION_WARMUP_EPOCHS:
        return typed[DF_OPTION_WARMUP_STEPS] ||
               (config->schedule == DF_SCHEDULE_ONECYCLE &&
                (typed[DF_OPTION_SCHEDULE] || file->found.warmup_epochs == 0));
    case DF_OPTION_MIN_LR:
        return !df_schedule_falls_to_min(config->schedule) &&
               (typed[DF_OPTION_SCHEDULE] || file->found.min_lr == 0);
    case DF_OPTION_LR_LORA:
    case DF_OPTION_LORA_TARGETS:
    case DF_OPTION_LORA_BLOCKS:
    case DF_OPTION_LORA_ALPHA:
    case DF_OPTION_RSLORA:
    case DF_OPTION_DORA:
    case DF_OPTION_LORA_PLUS:
    case DF_OPTION_LORA_DROPOUT:
        return (typed[DF_OPTION_USE_LORA] && !config->use_lora) ||
               (typed[DF_OPTION_MERGE_LORA] && config->merge_lora);
    case DF_OPTION_USE_LORA: /* false where it was merged */
        return typed[DF_OPTION_MERGE_LORA] && (config->merge_lora || file->found.merge_lora);
    case DF_OPTION_MERGE_LORA:
        return typed[DF_OPTION_USE_LORA] && config->use_lora;
    case DF_OPTION_DECODER:
        return typed[DF_OPTION_USE_FPN] && config->use_fpn != file->found.use_fpn;
    case DF_OPTION_USE_FPN:
        return typed[DF_OPTION_DECODER];
    case DF_OPTION_DECODER_LAYERS:
        return names_decoder(file, typed) && !df_decoder_takes_layers(decoder_of(file, typed, config));
    case DF_OPTION_HEAD_NORM: /* one whose decoder has none says nothing of another's */
        return names_decoder(file, typed) && (!df_decoder_takes_norm(decoder_of(file, typed, config)) ||
                                              !df_decoder_takes_norm(file->found.decoder));
    case DF_OPTION_HEAD_DROPOUT:
        return names_decoder(file, typed) && !df_decoder_takes_norm(decoder_of(file, typed, config));
    case DF_OPTION_CACHE_FEATURES: /* what auto became */
        return typed[DF_OPTION_USE_LORA] && config->use_lora != file->found.use_lora;
    case DF_OPTION_CACHE_VIEWS:
        return typed[DF_OPTION_AUGMENT] && config->augment == DF_AUGMENT_NONE;
    case DF_OPTION_AUGMENT_SCALE:
    case DF_OPTION_CROP_CLASS_BALANCE:
        return typed[DF_OPTION_AUGMENT] && config->augment < DF_AUGMENT_STANDARD;
    case DF_OPTION_FOCAL_GAMMA:
        return typed[DF_OPTION_LOSS] && config->loss != DF_LOSS_FOCAL;
    case DF_OPTION_OHEM_THRESHOLD:
    case DF_OPTION_OHEM_MIN_KEPT:
        return typed[DF_OPTION_LOSS] && config->loss != DF_LOSS_OHEM;
    case DF_OPTION_REGION_FACTOR:
        return typed[DF_OPTION_LOSS] && !df_loss_has_both(config->loss);
    case DF_OPTION_NORMALIZE: /* what auto became */
        return typed[DF_OPTION_RECIPE] && config->recipe != file->found.recipe;
    default:
        return false;
    }
}
