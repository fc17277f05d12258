#include "eval_report_parts.h"
#include "plot/plot.h"

#include "dinoft/confusion_picture.h"
#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

static int64_t labelled_pixels(const struct df_metrics *metrics)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < (int64_t)metrics->n_classes * metrics->n_classes; i++)
        sum += metrics->confusion[i];
    return sum;
}

static void write_table(FILE *page, const struct df_metrics *metrics, char *const *names)
{
    static const struct df_html_column columns[] = {
        {"class", false},          {"IoU, %", true},   {"accuracy, %", true},    {"Dice, %", true},
        {"labelled pixels", true}, {"share, %", true}, {"boundary IoU, %", true}};
    const size_t n_columns = sizeof columns / sizeof *columns - (metrics->detailed ? 0 : 1);
    const int64_t all = labelled_pixels(metrics);

    df_html_table_begin(page, NULL, columns, n_columns);
    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores scores;
        df_metrics_class(metrics, i, &scores);
        df_html_row_begin(page, names[i]);
        df_html_number(page, 100.0 * scores.iou, 2);
        df_html_number(page, 100.0 * scores.accuracy, 2);
        df_html_number(page, 100.0 * scores.dice, 2);
        df_html_count(page, scores.pixels);
        df_html_number(page, all > 0 ? 100.0 * (double)scores.pixels / (double)all : NAN, 2);
        if (metrics->detailed)
            df_html_number(page, 100.0 * scores.boundary_iou, 2);
        df_html_row_end(page);
    }
    df_html_table_end(page);
}

/* Classes without an IoU, of which small sets have many, would be names without bars. */
static size_t collect_bars(struct df_bar *bars, const struct df_metrics *metrics, char *const *names)
{
    size_t count = 0;
    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores scores;
        df_metrics_class(metrics, i, &scores);
        if (!isnan(scores.iou))
            bars[count++] = (struct df_bar){.name = names[i], .value = 100.0 * scores.iou};
    }
    return count;
}

static int write_bars(FILE *page, const struct df_metrics *metrics, char *const *names)
{
    struct df_scores scores;
    struct df_bar *bars = calloc((size_t)metrics->n_classes, sizeof *bars);
    if (!bars)
        return df_error_memory("a plot", (unsigned long long)metrics->n_classes * sizeof *bars);
    const size_t count = collect_bars(bars, metrics, names);
    df_metrics_scores(metrics, &scores);
    const struct df_bar_chart chart = {.label = "IoU, %",
                                       .bars = bars,
                                       .count = count,
                                       .sorted = true,
                                       .level = {"mean", 100.0 * scores.miou}};
    fputs("<figure>\n", page);
    const int status = df_plot_bars(page, &chart);
    fputs("<figcaption>IoU of each class, the best first.", page);
    if (count < (size_t)metrics->n_classes)
        fprintf(page,
                " Left out because they occur neither in a label nor in a prediction: %zu of %d classes.",
                (size_t)metrics->n_classes - count, metrics->n_classes);
    fputs("</figcaption>\n</figure>\n", page);
    free(bars);
    return status;
}

static int write_confusion(FILE *page, const struct df_metrics *metrics, char *const *names)
{
    struct df_image picture;
    size_t size;

    DF_TRY(df_confusion_draw(metrics, names, &picture));
    void *png = df_png_encode(&picture, &size);
    if (png) {
        df_html_heading(page, "Confusion matrix");
        fputs("<figure>\n", page);
        df_html_picture(page, "image/png", png, size, picture.width, picture.height, "confusion matrix");
        fputs("<figcaption>Of the pixels labelled with a row's class, the share that was predicted as a "
              "column's. "
              "The colour follows the square root of the share; a hatched row's class is labelled "
              "nowhere.</figcaption>\n</figure>\n",
              page);
    }
    free(png);
    df_image_free(&picture);
    return png ? 0 : -1;
}

int eval_report_classes(FILE *page, const struct df_eval_report *report)
{
    df_html_heading(page, "Classes");
    DF_TRY(write_bars(page, report->metrics, report->names));
    write_table(page, report->metrics, report->names);
    return write_confusion(page, report->metrics, report->names);
}
