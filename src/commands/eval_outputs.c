#include "eval_outputs.h"
#include "save_masks.h"
#include "version.h"

#include "dinoft/atomic_write.h"
#include "dinoft/confusion_picture.h"
#include "dinoft/error.h"
#include "dinoft/eval_report.h"
#include "dinoft/setup.h"

#include <stdio.h>
#include <string.h>

static bool needs_scores(const struct df_config *config)
{
    return config->images_csv || config->report_html;
}

bool eval_outputs_needs_maps(const struct df_config *config)
{
    return config->report_html || config->save_masks;
}

bool eval_outputs_needs_images(const struct df_config *config)
{
    return config->report_html != NULL;
}

int eval_outputs_check(const struct df_config *config, const struct df_measure *measure)
{
    const char *const paths[] = {config->metrics_json, config->images_csv, config->confusion_png,
                                 config->report_html};
    const int count = sizeof paths / sizeof *paths;

    for (int i = 0; i < count; i++) {
        if (!paths[i])
            continue;
        DF_TRY(df_check_writable_file(paths[i]));
        DF_TRY(df_setup_check_output(&measure->setup, config, paths[i]));
        for (int k = 0; k < i; k++) {
            if (paths[k] && strcmp(paths[i], paths[k]) == 0)
                return df_error_set("two of the results would both be written to %s", paths[i]);
        }
    }
    return save_masks_check(config, measure);
}

void eval_outputs_init(struct eval_outputs *outputs, const struct df_config *config,
                       const struct df_measure *measure)
{
    const struct df_dataset *dataset = measure->dataset;
    struct df_overlay_style style = {.opacity = config->overlay_opacity, .outlines = true};

    *outputs = (struct eval_outputs){
        .config = config, .measure = measure, .bootstrap.n_classes = dataset->n_classes};
    df_palette_fill_classes(&outputs->palette, dataset->kind, measure->class_names[0],
                            (const uint8_t(*)[3])dataset->class_colors, dataset->n_classes);
    style.palette = outputs->palette;
    df_image_scores_init(&outputs->scores, dataset->n_classes, dataset->reference_void_is_background);
    df_best_worst_init(&outputs->best_worst, &style);
}

void eval_outputs_free(struct eval_outputs *outputs)
{
    df_image_scores_free(&outputs->scores);
    df_best_worst_free(&outputs->best_worst);
    df_bootstrap_free(&outputs->bootstrap);
}

static int show(struct eval_outputs *outputs, const char *name, double miou,
                const struct df_prediction *prediction)
{
    const struct df_image labels = {.width = prediction->width,
                                    .height = prediction->height,
                                    .channels = 1,
                                    .pixels = (uint8_t *)prediction->labels};
    const struct df_image classes = {.width = prediction->width,
                                     .height = prediction->height,
                                     .channels = 1,
                                     .pixels = (uint8_t *)prediction->classes};

    return df_best_worst_add(&outputs->best_worst, name, miou, prediction->image, &labels, &classes);
}

int eval_outputs_observe(void *context, const struct df_prediction *prediction)
{
    struct eval_outputs *outputs = context;
    const char *name = outputs->measure->dataset->samples[prediction->sample].name;

    if (outputs->config->bootstrap > 0)
        DF_TRY(df_bootstrap_add(&outputs->bootstrap, prediction->confusion));
    if (outputs->config->save_masks)
        DF_TRY(save_masks_write(outputs->config->save_masks, name, prediction, &outputs->palette));
    if (!needs_scores(outputs->config))
        return 0;
    DF_TRY(df_image_scores_add(&outputs->scores, name, prediction->confusion, prediction->of_sigmoids,
                               prediction->loss));
    if (!eval_outputs_needs_images(outputs->config))
        return 0;
    return show(outputs, name, outputs->scores.items[outputs->scores.count - 1].miou, prediction);
}

int eval_outputs_find_interval(struct eval_outputs *outputs)
{
    const struct df_config *config = outputs->config;

    if (config->bootstrap == 0)
        return 0;
    return df_bootstrap_interval(&outputs->bootstrap, config->bootstrap, config->seed, &outputs->interval);
}

static const struct df_interval *interval_of(const struct eval_outputs *outputs)
{
    return outputs->interval.resamples > 0 ? &outputs->interval : NULL;
}

static int write_report(struct eval_outputs *outputs, const struct df_metrics *metrics)
{
    const struct df_measure *measure = outputs->measure;
    struct df_measure_facts facts;
    char title[256], made[MADE_TEXT];
    struct df_eval_report report = {.title = title,
                                    .metrics = metrics,
                                    .names = measure->class_names,
                                    .interval = interval_of(outputs),
                                    .images = &outputs->scores,
                                    .best_worst = &outputs->best_worst};

    df_measure_facts(measure, &facts);
    df_measure_add_fact(&facts, "made", "%s", made_text(made));
    report.facts = facts.items;
    report.n_facts = facts.count;
    snprintf(title, sizeof title, "%s on %s",
             measure->prototypes.set ? "Prototypes" : measure->options.checkpoint,
             df_dataset_kind_name(measure->dataset->kind));
    return df_eval_report_write(outputs->config->report_html, &report);
}

static int write_confusion(const struct eval_outputs *outputs, const struct df_metrics *metrics)
{
    struct df_image picture = {0};
    int status = -1;

    if (df_confusion_draw(metrics, outputs->measure->class_names, &picture) == 0)
        status = df_png_write_rgb(outputs->config->confusion_png, &picture);
    df_image_free(&picture);
    return status;
}

int eval_outputs_write(struct eval_outputs *outputs, const struct df_metrics *metrics)
{
    const struct df_measure *measure = outputs->measure;
    const struct df_config *config = outputs->config;
    const struct df_metrics_setting setting = {.names = measure->class_names,
                                               .batch_size = measure->options.batch_size,
                                               .prototypes = &measure->prototypes,
                                               .split = config->split,
                                               .interval = interval_of(outputs)};

    df_image_scores_sort(&outputs->scores);
    if (config->metrics_json)
        DF_TRY(df_metrics_write_json(config->metrics_json, metrics, &setting));
    if (config->images_csv)
        DF_TRY(df_image_scores_write_csv(config->images_csv, &outputs->scores, measure->class_names));
    if (config->confusion_png)
        DF_TRY(write_confusion(outputs, metrics));
    return config->report_html ? write_report(outputs, metrics) : 0;
}
