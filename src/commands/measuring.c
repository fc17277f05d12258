#include "measuring.h"

#include "dinoft/error.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <string.h>

static struct df_dataset *open_dataset(const struct df_config *config, const struct df_setup *setup)
{
    const struct df_checkpoint *checkpoint = setup->checkpoint; /* NULL: flags tell the classes */
    struct df_dataset *dataset = df_setup_part(config, checkpoint);

    if (dataset && !config->prototypes && dataset->n_classes != checkpoint->classes) {
        df_error_set("%s is for %" PRId64 " classes, data set %s has %d", config->lora_weights,
                     checkpoint->classes, df_dataset_kind_name(config->dataset), dataset->n_classes);
        df_dataset_free(dataset);
        return NULL;
    }
    const struct df_record *record = checkpoint && !config->prototypes ? &checkpoint->record : NULL;
    if (dataset && record && record->n_class_names > 0 &&
        df_dataset_check_classes(dataset, record->class_names, record->n_class_names, config->lora_weights) !=
            0) {
        df_dataset_free(dataset);
        return NULL;
    }
    if (dataset && checkpoint)
        df_seen_images_report(&checkpoint->record.seen, dataset, config->lora_weights);
    return dataset;
}

/* --slide in whole patches; 0 where it is not typed. */
static int choose_window(const struct df_config *config, int64_t patch, int64_t *crop_in_patches,
                         int64_t *stride)
{
    const int64_t crop = config->slide[0];

    *crop_in_patches = crop - crop % patch;
    *stride = df_min_i64(config->slide[1], *crop_in_patches);
    if (*crop_in_patches == 0 && crop > 0)
        return df_error_set("--slide: a window of %" PRId64 " pixels is smaller than a patch of %" PRId64,
                            crop, patch);
    if (*crop_in_patches != crop)
        df_log("--slide: windows of %" PRId64 " pixels, a multiple of the patch size %" PRId64 ", %" PRId64
               " apart",
               *crop_in_patches, patch, *stride);
    return 0;
}

int measuring_views(const struct df_config *config, const struct df_setup *setup,
                    struct df_inference_options *how)
{
    *how = (struct df_inference_options){
        .keep_ratio = config->resize == DF_RESIZE_SHORT,
        .own_size = config->resize == DF_RESIZE_NONE,
        .height = setup->model.height,
        .width = setup->model.width,
        .n_scales = 1,
        .scales = {1.0},
        .mirror = config->tta,
    };
    _Static_assert(sizeof how->scales == sizeof config->scale_list, "one limit for scales");
    if (config->tta) {
        how->n_scales = config->n_scales;
        memcpy(how->scales, config->scale_list, sizeof how->scales);
    }
    return choose_window(config, setup->vit.patch, &how->crop, &how->stride);
}

static int choose_options(const struct df_config *config, struct df_measure *measure)
{
    struct df_measure_options *options = &measure->options;

    *options = (struct df_measure_options){
        .checkpoint = config->lora_weights,
        .split = config->split,
        .batch_size = df_min_i64(config->batch_size, measure->dataset->count),
        .workers = (int)config->num_workers,
        .original = config->eval_size == DF_EVAL_ORIGINAL,
        .scales = config->tta ? config->scales : NULL,
    };
    memcpy(options->slide, config->slide, sizeof options->slide);
    return measuring_views(config, &measure->setup, &measure->how);
}

int measuring_open(struct df_measure *measure, struct df_config *config)
{
    *measure = (struct df_measure){0};
    DF_TRY(df_setup_open(&measure->setup, config));
    if (config->prototypes)
        df_prototypes_choose(&measure->setup.model);
    measure->dataset = open_dataset(config, &measure->setup);
    if (!measure->dataset)
        return -1;
    DF_TRY(df_setup_warn_of_training_images(config, measure->dataset, measure->setup.checkpoint));
    const struct df_dataset *const sets[] = {measure->dataset};
    DF_TRY(df_labels_look(sets, 1));
    measure->class_names = measure->dataset->class_names;
    return choose_options(config, measure);
}
