#include "commands.h"
#include "eval_outputs.h"
#include "eval_prototypes.h"
#include "interrupt.h"
#include "measuring.h"

#include "dinoft/confusions.h"
#include "dinoft/evaluate.h"
#include "dinoft/label_checks.h"
#include "dinoft/log.h"

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

    printf("%-*s  %8s  %8s  %8s  %8s  %12s\n", width, "class", "IoU %", "acc %", "Dice %", "bound. %",
           "pixels");
    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores scores;
        df_metrics_class(metrics, i, &scores);
        printf("%-*s", width, names[i]);
        print_percent(scores.iou);
        print_percent(scores.accuracy);
        print_percent(scores.dice);
        print_percent(scores.boundary_iou);
        if (scores.pixels > 0)
            printf("  %12" PRId64 "\n", scores.pixels);
        else
            printf("  %12s\n", "no labels");
    }
}

/* Numbers stand below each other, the loss with its four digits too. */
static void print_score(const char *name, double share, const char *remark)
{
    if (isnan(share))
        printf("%-14s  %6s%s\n", name, "-", remark);
    else
        printf("%-14s  %6.2f %%%s\n", name, 100.0 * share, remark);
}

static void print_interval(const struct df_interval *interval)
{
    if (interval->resamples > 0 && !isnan(interval->low))
        printf("%-14s  %6.2f to %.2f %%   (95 %% of %" PRId64 " resamples of the %" PRId64
               " images, --seed %" PRId64 ")\n",
               "mIoU interval", 100.0 * interval->low, 100.0 * interval->high, interval->resamples,
               interval->images, interval->seed);
}

#define CONFUSIONS_PRINTED 5

static void print_confusions(const struct df_metrics *metrics, char *const *names)
{
    struct df_confusion ranked[CONFUSIONS_PRINTED];
    const int count = df_confusions_rank(metrics, CONFUSIONS_PRINTED, ranked);

    if (count > 0)
        printf("\nmost frequent confusions:\n");
    for (int i = 0; i < count; i++)
        printf("%s taken for %s: %.2f %% of %s's pixels\n", names[ranked[i].label],
               names[ranked[i].prediction], 100.0 * ranked[i].share, names[ranked[i].label]);
}

static void print_scores(const struct df_metrics *metrics, const struct df_interval *interval, bool original,
                         bool reference_numbers)
{
    struct df_scores scores;
    df_metrics_scores(metrics, &scores);
    printf("\nat the %s size:\n", original ? "labels' original" : "network's input");
    print_score("mIoU", scores.miou, "");
    print_interval(interval);
    print_score("pixel accuracy", scores.pixel_accuracy, "");
    print_score("mean accuracy", scores.mean_accuracy, "");
    print_score("Dice", scores.dice, "");
    print_score("boundary IoU", scores.boundary_iou, "");
    print_score("ECE", scores.calibration_error, "   (expected calibration error, 15 bins)");
    if (reference_numbers) {
        print_score("reference IoU", scores.reference_iou,
                    "   (the reference project's own number in August 2025: not an mIoU)");
        print_score("reference mIoU", scores.reference_miou,
                    "   (the reference project's own number since October 2025)");
    }
    if (isnan(scores.loss))
        printf("%-14s  %6s\n", "loss", "-");
    else
        printf("%-14s  %8.4f\n", "loss", scores.loss);
}

static int evaluate(const struct df_config *config, struct df_measure *measure)
{
    struct df_loader *loader = df_measure_loader(measure, eval_outputs_needs_images(config), NULL, NULL);
    struct df_feed *feed = loader ? df_feed_images(loader) : NULL;
    struct df_metrics metrics = {0};
    struct eval_outputs outputs;
    const struct df_evaluation evaluation = {
        .original = measure->options.original,
        .inference = measure->inference,
        .label = "eval",
        .stop = interrupt_flag(),
        .detailed = true,
        .maps = eval_outputs_needs_maps(config) ? measure->dataset->count : 0,
        .images = measure->dataset->count,
        .observe = eval_outputs_observe,
        .context = &outputs,
    };
    int status = 1;

    eval_outputs_init(&outputs, config, measure);
    if (!feed ||
        df_metrics_init(&metrics, measure->dataset->n_classes,
                        measure->dataset->reference_void_is_background) != 0 ||
        df_evaluate(measure->segmenter, feed, &evaluation, &metrics) != 0)
        goto done;
    if (*evaluation.stop) {
        status = EXIT_INTERRUPTED;
        goto done;
    }
    if (df_measure_check_labels(measure) != 0)
        goto done;
    df_labels_report_ignored(measure->dataset, "validation");
    if (eval_outputs_find_interval(&outputs) != 0)
        goto done;
    print_table(&metrics, measure->class_names);
    print_scores(&metrics, &outputs.interval, measure->options.original,
                 df_recipe_is_reference(config->recipe));
    print_confusions(&metrics, measure->class_names);
    status = eval_outputs_write(&outputs, &metrics) == 0 ? 0 : 1;
done:
    eval_outputs_free(&outputs);
    df_metrics_free(&metrics);
    df_feed_free(feed);
    df_loader_close(loader);
    return status;
}

static void log_what_is_measured(const struct df_measure *measure)
{
    const struct df_setup *setup = &measure->setup;
    char how[256], head[DF_HEAD_TEXT];

    df_measure_describe(measure, how, sizeof how);
    df_log("%" PRId64 " images at %" PRId64 " x %" PRId64 "%s, normalize %s, LoRA rank %" PRId64
           ", decoder %s",
           measure->dataset->count, setup->model.height, setup->model.width, how, setup->normalize,
           setup->model.rank,
           df_head_text(df_decoder_kind_named(setup->model.decoder), &setup->model.head, head));
}

int command_eval(struct df_config *config)
{
    struct df_measure measure;
    struct df_dataset *train_set = NULL; /* of prototypes */
    int status = 1;

    if (measuring_open(&measure, config) == 0 && eval_outputs_check(config, &measure) == 0 &&
        eval_prototypes_open(config, &measure, &train_set) == 0 && df_measure_start(&measure) == 0) {
        log_what_is_measured(&measure);
        if (eval_prototypes_make(&measure) == 0)
            status = *interrupt_flag() ? EXIT_INTERRUPTED : evaluate(config, &measure);
    }
    df_measure_close(&measure);
    df_dataset_free(train_set);
    return status;
}
