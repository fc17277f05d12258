#include "dinoft/setup.h"

#include "recorded_settings.h"

#include "dinoft/atomic_write.h"
#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/mapped_file.h"
#include "dinoft/split_overlap.h"
#include "dinoft/weight_file.h"
#include "dinoft/weight_search.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *find_weights(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    char *path;

    if (config->weights) {
        path = df_find_typed_weights(config->weights);
        if (!path)
            df_error_context("--weights %s", config->weights);
        return path;
    }
    const char *name = df_backbone_name(config, checkpoint);
    if (!name)
        return NULL;
    path = df_find_backbone(name);
    if (!path)
        df_error_advise(", or --weights FILE names another");
    return path;
}

/* --size and --dino_type choose a file; where --weights does, they are checked only if they were typed. */
static int check_typed_backbone(const struct df_config *config, const struct df_vit_config *vit,
                                const char *path)
{
    struct df_vit_config typed;

    if (config->typed[DF_OPTION_DINO_TYPE] && vit->family != config->dino_type)
        return df_error_set("%s holds a %s backbone, --dino_type says %s", path, df_family_name(vit->family),
                            df_family_name(config->dino_type));
    if (!config->typed[DF_OPTION_SIZE])
        return 0;
    if (df_vit_has_size(vit, config->size))
        return 0;
    const char *size = df_backbone_size_name(config->size);
    const char *name = df_hub_name_for(vit->family, config->size);
    if (!name || df_vit_config_for_hub_name(name, &typed) != 0)
        return df_error_context("--size");
    if (typed.dim != vit->dim || typed.depth != vit->depth)
        return df_error_set("%s has %" PRId64 " channels and %" PRId64 " blocks, --size %s has %" PRId64
                            " and %" PRId64,
                            path, vit->dim, vit->depth, size, typed.dim, typed.depth);
    if (typed.ffn != vit->ffn)
        return df_error_set("%s has a%s FFN, --size %s has a%s one", path,
                            vit->ffn == DF_FFN_SWIGLU ? " SwiGLU" : "n MLP", size,
                            typed.ffn == DF_FFN_SWIGLU ? " SwiGLU" : "n MLP");
    return 0;
}

static struct df_state *read_backbone(const struct df_config *config, struct df_vit_config *vit,
                                      const char *path)
{
    struct df_state *backbone = df_backbone_read(path, vit);

    if (backbone && check_typed_backbone(config, vit, path) != 0) {
        df_state_free(backbone);
        return NULL;
    }
    return backbone;
}

struct df_state *df_setup_backbone(const struct df_config *config, const struct df_checkpoint *checkpoint,
                                   struct df_vit_config *vit, char **path)
{
    *path = find_weights(config, checkpoint);
    return *path ? read_backbone(config, vit, *path) : NULL;
}

/* A checkpoint on a backbone that is not its own gives numbers, and wrong ones. */
static int check_trained_on(const struct df_setup *setup, const struct df_config *config)
{
    char other[DF_ERROR_TEXT_MAX];

    if (df_checkpoint_check_trained_on(setup->checkpoint, config->lora_weights, setup->backbone, &setup->vit,
                                       setup->weights_path) != 0) {
        snprintf(other, sizeof other, "%s", df_error_text());
        if (!config->allow_other_backbone)
            return df_error_set("%s (--weights names another file; --allow_other_backbone uses this one)",
                                other);
        df_log("warning: %s; it is used all the same (--allow_other_backbone)", other);
    }
    return df_checkpoint_check_backbone(setup->checkpoint, &setup->vit, config->lora_weights);
}

/* A backbone in the place of a checkpoint is an easy mistake. */
static struct df_checkpoint *open_checkpoint(const char *path)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    const bool is_backbone = state && df_state_is_backbone(state);
    struct df_checkpoint *checkpoint = state ? df_checkpoint_from_state(state, path) : NULL;

    if (is_backbone)
        df_error_advise(" (--weights takes backbones)");
    return checkpoint;
}

static void place_positions(struct df_vit_config *vit, const struct df_config *config, const char *weights)
{
    vit->pos_interpolation = config->pos_interpolation;
    if (vit->pos_grid == 0 && config->typed[DF_OPTION_POS_INTERPOLATION])
        df_log("warning: --pos_interpolation has no effect: %s has no table of positions, but DINOv3's RoPE, "
               "which all compute alike",
               weights);
}

/* All but the backend. */
static int read_model(struct df_setup *setup, const struct df_config *config)
{
    struct df_normalize normalize;

    setup->backbone = read_backbone(config, &setup->vit, setup->weights_path);
    if (!setup->backbone)
        return -1;
    place_positions(&setup->vit, config, setup->weights_path);
    if (setup->checkpoint)
        DF_TRY(check_trained_on(setup, config));
    DF_TRY(df_model_options(&setup->model, config, setup->checkpoint, &setup->vit, setup->weights_path));
    memcpy(normalize.mean, setup->model.mean, sizeof normalize.mean);
    memcpy(normalize.std, setup->model.std, sizeof normalize.std);
    df_normalize_text(&normalize, setup->normalize);
    return 0;
}

int df_setup_open(struct df_setup *setup, struct df_config *config)
{
    size_t ahead = 0;

    memset(setup, 0, sizeof *setup);
    if (config->lora_weights) {
        setup->checkpoint = open_checkpoint(config->lora_weights);
        if (!setup->checkpoint || recorded_settings_take(config, setup->checkpoint) != 0)
            return -1;
    }
    setup->weights_path = find_weights(config, setup->checkpoint);
    if (!setup->weights_path)
        return -1;
    /* A GPU is opened while the backbone is read: what its format needs, and then the rest. */
    struct df_backend_opening *opening =
        df_backend_begin(config->device, config->precision, (int)config->threads);
    if (!opening)
        return -1;
    if (read_model(setup, config) != 0) {
        df_backend_cancel(opening);
        return -1;
    }
    while (df_backend_is_opening(opening) && df_mapping_read_ahead(setup->backbone->mapping, &ahead))
        ;
    setup->backend = df_backend_end(opening);
    if (setup->backend && !setup->backend->native)
        df_log("this processor does not compute bf16 itself: --precision fp32 may be faster");
    return setup->backend ? 0 : -1;
}

int df_setup_check_output(const struct df_setup *setup, const struct df_config *config, const char *path)
{
    DF_TRY(df_check_other_file(path, setup->weights_path));
    DF_TRY(df_check_other_file(path, config->lora_weights));
    DF_TRY(df_check_other_file(path, config->palette));
    DF_TRY(df_check_other_file(path, config->annotations));
    DF_TRY(df_check_other_file(path, config->class_names));
    DF_TRY(df_check_other_file(path, config->pairs));
    DF_TRY(df_check_other_file(path, config->train_list));
    return df_check_other_file(path, config->val_list);
}

/* Of the two splits that a training, a survey or prototypes open, the log tells one layout. */
static struct df_layout_options layout_of(const struct df_config *config, enum df_split split,
                                          const struct df_checkpoint *checkpoint)
{
    const bool opens_both =
        config->command == DF_COMMAND_TRAIN || config->command == DF_COMMAND_DATA || config->prototypes;

    return (struct df_layout_options){
        .layout = config->layout,
        .images = config->images,
        .masks = config->masks,
        .pairs = config->pairs,
        .train_list = config->typed[DF_OPTION_TRAIN_LIST] ? config->train_list : NULL,
        .val_list = config->typed[DF_OPTION_VAL_LIST] ? config->val_list : NULL,
        .fold = config->fold,
        .val_fraction = config->val_fraction,
        .split_seed = config->split_seed,
        .trained = config->trained_split,
        .trained_file = config->lora_weights,
        .images_are_known = checkpoint && checkpoint->record.seen.count > 0,
        .tells = split == DF_SPLIT_TRAIN || !opens_both,
    };
}

/* Values that are no checkpoint's are told before those are looked at. */
static int check_listed(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    struct df_mask_values values;
    int status = 0;

    if (!config->mask_values || !checkpoint || config->prototypes || config->merge_classes ||
        config->ignore_classes)
        return 0;
    if (df_mask_values_parse(config->mask_values, &values) == 0 && values.count != checkpoint->classes)
        status = df_error_set("--mask_values %.200s has %d values, for %" PRId64 " classes",
                              config->mask_values, values.count, checkpoint->classes);
    df_mask_values_free(&values);
    return status;
}

static struct df_dataset_options dataset_options(const struct df_config *config, enum df_split split,
                                                 const struct df_checkpoint *checkpoint)
{
    return (struct df_dataset_options){
        .kind = config->dataset,
        .root = config->data_root,
        .split = split,
        .list = split == DF_SPLIT_TRAIN ? config->train_list : config->val_list,
        .layout = layout_of(config, split, checkpoint),
        .void_as_background = config->void_as_background,
        .takes_missing = config->command == DF_COMMAND_DATA,
        .n_classes = (int)config->n_classes,
        .usual_classes = checkpoint ? (int)checkpoint->classes : 0,
        .class_names = config->class_names,
        .annotations = config->annotations,
        .palette = config->palette,
        .ignore_value = config->ignore_value,
        .reading = config->reading,
        .advice = " (--mask_values says what other values mean)",
        .color_advice =
            config->dataset == DF_DATASET_FOLDER ? " (--palette says which classes these are)" : NULL,
        .mask_values = config->mask_values,
        .values_are_recorded = config->mask_values && !config->typed[DF_OPTION_MASK_VALUES],
        .merge_classes = config->merge_classes,
        .ignore_classes = config->ignore_classes,
        .known = config->known_classes,
    };
}

/* Drawn masks have labels with names. Values would be their numbers in the order of one folder's labels, and
 * other classes in another folder. */
static int check_drawn(const struct df_config *config, const struct df_dataset *dataset)
{
    if (!dataset->annotations || !config->mask_values)
        return 0;
    if (config->typed[DF_OPTION_MASK_VALUES])
        return df_error_set(
            "--mask_values is for masks in files: these are drawn from annotations, whose classes "
            "--class_names puts in another order");
    return df_error_set(
        "%s was trained with merged or ignored classes: for annotations, which have names for "
        "their labels, type --merge_classes and --ignore_classes as in its training",
        config->lora_weights);
}

static struct df_dataset *open_dataset(const struct df_config *config,
                                       const struct df_dataset_options *options,
                                       const struct df_checkpoint *checkpoint)
{
    if (check_listed(config, checkpoint) != 0 || (!checkpoint && df_config_check_classes(config) != 0))
        return NULL;
    struct df_dataset *dataset = df_dataset_open(options);
    if (dataset && check_drawn(config, dataset) != 0) {
        df_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

struct df_dataset *df_setup_dataset(const struct df_config *config, enum df_split split,
                                    const struct df_checkpoint *checkpoint)
{
    const struct df_dataset_options options = dataset_options(config, split, checkpoint);

    return open_dataset(config, &options, checkpoint);
}

struct df_dataset *df_setup_part(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const bool train = df_split_named(config->split, DF_SPLIT_TRAIN);
    struct df_dataset_options options =
        dataset_options(config, train ? DF_SPLIT_TRAIN : DF_SPLIT_VAL, checkpoint);

    if (!train && !df_split_named(config->split, DF_SPLIT_VAL))
        options.split_name[0] = config->split;
    return open_dataset(config, &options, checkpoint);
}

int df_setup_warn_of_training_images(const struct df_config *config, const struct df_dataset *part,
                                     const struct df_checkpoint *checkpoint)
{
    struct df_dataset_options options = dataset_options(config, DF_SPLIT_TRAIN, checkpoint);
    bool has;

    if (df_split_named(config->split, DF_SPLIT_TRAIN)) {
        df_log("warning: --split %s: these are training images, so that scores say nothing of other images",
               config->split);
        return 0;
    }
    if (df_split_named(config->split, DF_SPLIT_VAL))
        return 0;
    options.takes_missing = true;
    options.layout.tells = false;
    if (df_dataset_has_split(&options, &has) == 0 && !has)
        return 0;
    struct df_dataset *train_set = df_dataset_open(&options);
    if (!train_set) {
        df_log("warning: it is not known whether images of --split %s are training images: %s", config->split,
               df_error_text());
        return 0;
    }
    const int status = df_split_overlap_report(train_set, part);
    df_dataset_free(train_set);
    return status;
}

int df_setup_validation_set(const struct df_config *config, const struct df_dataset *train_set,
                            struct df_dataset **set)
{
    struct df_dataset_options options = dataset_options(config, DF_SPLIT_VAL, NULL);
    bool has;

    *set = NULL;
    options.usual_classes = train_set->n_classes;
    DF_TRY(df_dataset_has_split(&options, &has));
    if (has)
        *set = df_dataset_open(&options);
    return *set || !has ? 0 : -1;
}

struct df_augment_options df_setup_augmentation(const struct df_config *config)
{
    return (struct df_augment_options){
        .kind = config->augment,
        .views = config->cache_views,
        .scale = {config->augment_scale[0], config->augment_scale[1]},
        .crop_class_balance = config->crop_class_balance,
        .keeps_ratio = config->resize == DF_RESIZE_SHORT,
    };
}
