#include "dinoft/measure.h"

#include "dinoft/error.h"
#include "dinoft/feed.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A data set of the user's own has as many classes as the flags say, or the checkpoint. */
static bool has_own_classes(const struct df_config *config)
{
    return df_dataset_names(config->dataset, NULL) == NULL;
}

static struct df_dataset *open_dataset(const struct df_config *config, const struct df_setup *setup)
{
    struct df_dataset_options options = {
        .kind = config->dataset,
        .root = config->data_root,
        .split = DF_SPLIT_VAL,
        .void_as_background = config->void_as_background,
        .class_names = config->class_names,
        .mask_values = config->mask_values,
    };
    if (has_own_classes(config))
        options.n_classes = (int)(config->n_classes > 0 ? config->n_classes : setup->checkpoint->classes);
    struct df_dataset *dataset = df_dataset_open(&options);
    if (dataset && dataset->n_classes != setup->checkpoint->classes) {
        df_error_set("%s is for %" PRId64 " classes, data set %s has %d", config->lora_weights,
                     setup->checkpoint->classes, config->dataset, dataset->n_classes);
        df_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

/* Classes that nobody named here have the names that the checkpoint was trained with. */
static char **choose_names(const struct df_config *config, const struct df_setup *setup,
                           const struct df_dataset *dataset)
{
    const struct df_record *record = &setup->checkpoint->record;
    bool unnamed = has_own_classes(config) && !config->class_names;
    return unnamed && record->n_class_names == dataset->n_classes ? record->class_names
                                                                  : dataset->class_names;
}

int df_measure_check_labels(const struct df_measure *measure)
{
    const struct df_dataset *const sets[] = {measure->dataset};
    return df_labels_check(sets, 1);
}

int df_measure_open(struct df_measure *measure, const struct df_config *config)
{
    *measure = (struct df_measure){.config = config};
    DF_TRY(df_setup_open(&measure->setup, config));
    measure->config = config = &measure->setup.config;
    measure->dataset = open_dataset(config, &measure->setup);
    if (!measure->dataset)
        return -1;
    const struct df_dataset *const sets[] = {measure->dataset};
    DF_TRY(df_labels_look(sets, 1));
    measure->class_names = choose_names(config, &measure->setup, measure->dataset);
    measure->batch_size = df_min_i64(config->batch_size, measure->dataset->count);
    measure->original = strcmp(config->eval_size, "original") == 0;
    return 0;
}

/* --slide in whole patches. */
static int choose_window(const struct df_measure *measure, struct df_inference_options *options)
{
    const int64_t patch = measure->setup.vit.patch, crop = measure->config->slide[0];

    options->crop = crop - crop % patch;
    options->stride = df_min_i64(measure->config->slide[1], options->crop);
    if (options->crop == 0 && crop > 0)
        return df_error_set("--slide: a window of %" PRId64 " pixels is smaller than a patch of %" PRId64,
                            crop, patch);
    if (options->crop != crop)
        df_log("--slide: windows of %" PRId64 " pixels, a multiple of the patch size %" PRId64 ", %" PRId64
               " apart",
               options->crop, patch, options->stride);
    return 0;
}

static int choose_inference(const struct df_measure *measure, struct df_inference_options *options)
{
    const struct df_config *config = measure->config;

    *options = (struct df_inference_options){
        .keep_ratio = strcmp(config->resize, "short") == 0,
        .height = measure->setup.height,
        .width = measure->setup.width,
        .n_scales = 1,
        .scales = {1.0},
        .mirror = config->tta,
    };
    if (config->tta) {
        options->n_scales = config->n_scales;
        memcpy(options->scales, config->scale_list, sizeof options->scales);
    }
    return choose_window(measure, options);
}

/* Whether images go through the model one by one. */
static bool is_plain(const struct df_inference_options *options)
{
    return !options->keep_ratio && options->crop == 0 && df_inference_views(options) == 1;
}

int df_measure_start(struct df_measure *measure)
{
    const struct df_inference_options *how = &measure->how;

    DF_TRY(choose_inference(measure, &measure->how));
    const bool batches = is_plain(how) || how->crop > 0;
    measure->segmenter = df_setup_segmenter(&measure->setup, measure->config,
                                            is_plain(how) ? DF_MODEL_EVALUATES_FEED : DF_MODEL_EVALUATES,
                                            measure->dataset->n_classes, batches ? measure->batch_size : 1);
    if (!measure->segmenter)
        return -1;
    if (!is_plain(how) && !(measure->inference = df_inference_open(measure->segmenter, how)))
        return -1;
    return 0;
}

void df_measure_close(struct df_measure *measure)
{
    df_inference_close(measure->inference);
    df_segmenter_free(measure->segmenter);
    df_dataset_free(measure->dataset);
    df_setup_close(&measure->setup);
}

struct df_loader *df_measure_loader(const struct df_measure *measure, bool originals, df_sample_reader *read,
                                    void *context)
{
    const struct df_loader_options options = {
        .batch_size = measure->batch_size,
        .height = measure->inference ? 0 : measure->setup.height,
        .width = measure->inference ? 0 : measure->setup.width,
        .workers = (int)measure->config->num_workers,
        .originals = originals || measure->original || measure->inference,
        .read = read,
        .read_context = context,
    };
    return df_feed_open_loader(measure->dataset, &options, measure->segmenter);
}

void df_measure_describe(const struct df_measure *measure, char *text, size_t size)
{
    const struct df_config *config = measure->config;
    char window[64] = "";

    if (measure->how.crop > 0)
        snprintf(window, sizeof window, ", sliding window %" PRId64 " / %" PRId64, measure->how.crop,
                 measure->how.stride);
    snprintf(text, size, "%s%s%s%s%s", measure->how.keep_ratio ? ", ratio kept" : "", window,
             config->tta ? ", scales " : "", config->tta ? config->scales : "",
             config->tta ? ", mirrored too" : "");
}

void df_measure_add_fact(struct df_measure_facts *facts, const char *name, const char *format, ...)
{
    va_list arguments;
    char *text = facts->texts[facts->count];

    va_start(arguments, format);
    vsnprintf(text, sizeof facts->texts[0], format, arguments);
    va_end(arguments);
    facts->items[facts->count++] = (struct df_fact){name, text};
}

void df_measure_facts(const struct df_measure *measure, struct df_measure_facts *facts)
{
    const struct df_config *config = measure->config;
    const struct df_setup *setup = &measure->setup;
    char how[200];

    df_measure_describe(measure, how, sizeof how);
    facts->count = 0;
    df_measure_add_fact(facts, "checkpoint", "%s", config->lora_weights);
    df_measure_add_fact(facts, "backbone", "%s", setup->weights_path);
    df_measure_add_fact(facts, "LoRA rank", "%" PRId64, setup->checkpoint->rank);
    df_measure_add_fact(facts, "decoder", "%s", setup->checkpoint->decoder->title);
    df_measure_add_fact(facts, "data set", "%s, %" PRId64 " images", config->dataset,
                        measure->dataset->count);
    df_measure_add_fact(facts, "model input", "%" PRId64 " x %" PRId64 "%s", setup->height, setup->width,
                        how);
    df_measure_add_fact(facts, "normalisation", "%s", setup->normalize);
    df_measure_add_fact(facts, "measured at", "%s",
                        measure->original ? "the labels' original size" : "the network's input size");
    df_measure_add_fact(facts, "precision", "%s", df_dtype_name(setup->backend->compute));
}
