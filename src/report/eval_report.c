#include "dinoft/eval_report.h"

#include "eval_report_parts.h"

#include "dinoft/error.h"

#include <math.h>

#define NBSP "\xc2\xa0" /* keeps a name on one line */

static void score_row(FILE *page, const char *name, double value, double factor, int decimals,
                      const char *remark)
{
    df_html_row_begin(page, name);
    df_html_number(page, factor * value, decimals);
    df_html_cell(page, remark);
    df_html_row_end(page);
}

/* The interval is of the mIoU, whose row stands above. */
static void interval_row(FILE *page, const struct df_interval *interval)
{
    char remark[160];

    if (!interval || isnan(interval->low))
        return;
    snprintf(remark, sizeof remark, "to %.2f: 95 %% of %lld resamples of the %lld images, --seed %lld",
             100.0 * interval->high, (long long)interval->resamples, (long long)interval->images,
             (long long)interval->seed);
    score_row(page, "mIoU" NBSP "between," NBSP "%", interval->low, 100.0, 2, remark);
}

static void write_scores(FILE *page, const struct df_metrics *metrics, const struct df_interval *interval)
{
    static const struct df_html_column columns[] = {{"score", false}, {"value", true}, {"what it is", false}};
    struct df_scores scores;

    df_metrics_scores(metrics, &scores);
    df_html_heading(page, "Scores");
    df_html_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    score_row(page, "mIoU," NBSP "%", scores.miou, 100.0, 2,
              "mean of the classes' intersection over union, one confusion matrix over all images");
    interval_row(page, interval);
    score_row(page, "pixel" NBSP "accuracy," NBSP "%", scores.pixel_accuracy, 100.0, 2,
              "share of the labelled pixels that are right");
    score_row(page, "mean" NBSP "accuracy," NBSP "%", scores.mean_accuracy, 100.0, 2,
              "mean of the classes' shares of labelled pixels that are right");
    score_row(page, "Dice," NBSP "%", scores.dice, 100.0, 2, "mean of the classes' Dice coefficients");
    if (metrics->detailed) {
        score_row(
            page, "boundary" NBSP "IoU," NBSP "%", scores.boundary_iou, 100.0, 2,
            "mean of the classes' intersection over union of the pixels near their edges, within 2 % of "
            "the image's diagonal (Cheng et al., 2021)");
        score_row(page, "ECE," NBSP "%", scores.calibration_error, 100.0, 2,
                  "expected calibration error: how far confidence and accuracy are apart, below");
    }
    score_row(
        page, "reference IoU (August" NBSP "2025)," NBSP "%", scores.reference_iou, 100.0, 2,
        "dinov2-finetune's own number of that time, computed on the bits of class numbers: not an mIoU");
    score_row(
        page, "reference mIoU (October" NBSP "2025)," NBSP "%", scores.reference_miou, 100.0, 2,
        "dinov2-finetune's own number since then: mean over batches of the mean IoU of the classes up to the "
        "batch's largest label");
    score_row(page, "loss", scores.loss, 1.0, 4, "cross-entropy, mean of the batches' means");
    df_html_table_end(page);
}

static int write_sections(FILE *page, const void *content)
{
    const struct df_eval_report *report = content;

    df_html_facts(page, report->facts, report->n_facts);
    write_scores(page, report->metrics, report->interval);
    DF_TRY(eval_report_classes(page, report));
    eval_report_confusions(page, report);
    if (report->metrics->detailed)
        eval_report_calibration(page, report);
    return eval_report_images(page, report);
}

int df_eval_report_write(const char *path, const struct df_eval_report *report)
{
    return df_html_write(path, report->title, write_sections, report);
}
