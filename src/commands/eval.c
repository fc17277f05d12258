#include "commands.h"
#include "interrupt.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/evaluate.h"
#include "dinoft/log.h"
#include "dinoft/setup.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* "  -  " for a value that does not exist. */
static void print_percent(double value)
{
    if (isnan(value))
        printf("  %8s", "-");
    else
        printf("  %8.2f", 100.0 * value);
}

static void print_table(const struct df_metrics *metrics, char *const *names)
{
    int width = 5;
    for (int i = 0; i < metrics->n_classes; i++)
        width = (int)strlen(names[i]) > width ? (int)strlen(names[i]) : width;

    printf("%-*s  %8s  %8s  %8s  %12s\n", width, "class", "IoU %", "acc %", "Dice %", "pixels");
    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores scores;
        df_metrics_class(metrics, i, &scores);
        printf("%-*s", width, names[i]);
        print_percent(scores.iou);
        print_percent(scores.accuracy);
        print_percent(scores.dice);
        printf("  %12" PRId64 "\n", scores.pixels);
    }
}

static void print_score(const char *name, double value, const char *remark)
{
    if (isnan(value))
        printf("%-14s  %8s%s\n", name, "-", remark);
    else
        printf("%-14s  %8.4f%s\n", name, value, remark);
}

static void print_scores(const struct df_metrics *metrics, const char *eval_size)
{
    struct df_scores scores;
    df_metrics_scores(metrics, &scores);
    printf("\nat the %s size:\n",
           strcmp(eval_size, "original") == 0 ? "labels' original" : "network's input");
    print_score("mIoU", scores.miou, "");
    print_score("pixel accuracy", scores.pixel_accuracy, "");
    print_score("mean accuracy", scores.mean_accuracy, "");
    print_score("Dice", scores.dice, "");
    print_score("reference IoU", scores.reference_iou,
                "   (the reference project's own number: not an mIoU)");
    print_score("loss", scores.loss, "");
}

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
static char **class_names(const struct df_config *config, const struct df_setup *setup,
                          const struct df_dataset *dataset)
{
    const struct df_record *record = &setup->checkpoint->record;
    bool unnamed = has_own_classes(config) && !config->class_names;
    return unnamed && record->n_class_names == dataset->n_classes ? record->class_names
                                                                  : dataset->class_names;
}

static struct df_loader *open_loader(const struct df_config *config, const struct df_setup *setup,
                                     const struct df_dataset *dataset, int64_t batch_size)
{
    struct df_loader_options options = {
        .batch_size = batch_size,
        .height = setup->height,
        .width = setup->width,
        .workers = (int)config->num_workers,
        .original_masks = strcmp(config->eval_size, "original") == 0,
    };
    return df_loader_open(dataset, &options);
}

static int evaluate(const struct df_config *config, struct df_setup *setup, const struct df_dataset *dataset)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    int64_t batch_size = df_min_i64(config->batch_size, dataset->count);
    struct df_segmenter *segmenter =
        df_setup_segmenter(setup, config, DF_MODEL_EVALUATES, dataset->n_classes, batch_size);
    struct df_loader *loader = segmenter ? open_loader(config, setup, dataset, batch_size) : NULL;
    struct df_feed *feed = loader ? df_feed_images(loader) : NULL;
    struct df_metrics metrics = {0};
    int status = 1;

    if (!feed || df_metrics_init(&metrics, dataset->n_classes, dataset->reference_void_is_background) != 0)
        goto done;
    df_log("%" PRId64 " images at %" PRId64 " x %" PRId64 ", normalize %s, LoRA rank %" PRId64 ", decoder %s",
           dataset->count, setup->height, setup->width, setup->normalize, setup->checkpoint->rank,
           setup->checkpoint->decoder->name);
    if (df_evaluate(segmenter, feed, strcmp(config->eval_size, "original") == 0, "eval", stop, &metrics) != 0)
        goto done;
    if (*stop) {
        status = EXIT_INTERRUPTED;
        goto done;
    }
    char **names = class_names(config, setup, dataset);
    print_table(&metrics, names);
    print_scores(&metrics, config->eval_size);
    if (!config->metrics_json || df_metrics_write_json(config->metrics_json, &metrics, names) == 0)
        status = 0;
done:
    df_metrics_free(&metrics);
    df_feed_free(feed);
    df_loader_close(loader);
    df_segmenter_free(segmenter);
    return status;
}

int command_eval(const struct df_config *config)
{
    struct df_setup setup;
    int status = 1;

    if (config->metrics_json && df_check_writable_file(config->metrics_json) != 0)
        return 1;
    if (df_setup_open(&setup, config) == 0 &&
        (!config->metrics_json || df_setup_check_output(&setup, config, config->metrics_json) == 0)) {
        struct df_dataset *dataset = open_dataset(config, &setup);
        if (dataset)
            status = evaluate(config, &setup, dataset);
        df_dataset_free(dataset);
    }
    df_setup_close(&setup);
    return status;
}
