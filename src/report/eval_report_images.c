#include "eval_report_parts.h"
#include "plot/plot.h"

#include "dinoft/error.h"
#include "dinoft/median.h"

#include <math.h>
#include <stdlib.h>

#define BINS 20

static int write_histogram(FILE *page, const struct df_image_scores_list *images)
{
    double *values = malloc((images->count + 1) * sizeof *values), sum = 0.0;
    size_t count = 0;

    if (!values)
        return df_error_memory("a plot", (unsigned long long)(images->count + 1) * sizeof *values);
    for (size_t i = 0; i < images->count; i++) {
        if (!isnan(images->items[i].miou)) {
            values[count++] = 100.0 * images->items[i].miou;
            sum += 100.0 * images->items[i].miou;
        }
    }
    const struct df_histogram histogram = {.x_label = "mIoU of an image, %",
                                           .y_label = "images",
                                           .values = values,
                                           .count = count,
                                           .most = 100.0,
                                           .n_bins = BINS};
    fputs("<figure>\n", page);
    df_plot_histogram(page, &histogram);
    fputs("<figcaption>Each image by itself, its mIoU taken over the classes that its label or its "
          "prediction has. ",
          page);
    if (count > 0)
        fprintf(page, "Mean %.2f&nbsp;%%, median %.2f&nbsp;%%. ", sum / (double)count,
                df_median(values, count));
    if (count < images->count)
        fprintf(page, "Left out because none of their pixels counts: %zu. ", images->count - count);
    fputs("The mean is not the mIoU above, which counts the pixels of all images "
          "together.</figcaption>\n</figure>\n",
          page);
    free(values);
    return 0;
}

static void write_picture(FILE *page, const struct df_ranked_image *item)
{
    fputs("<figure class=\"strip\">\n", page);
    df_html_picture(page, "image/jpeg", item->jpeg, item->jpeg_size, item->width, item->height, item->name);
    fputs("<figcaption>", page);
    df_html_text(page, item->name);
    fprintf(page, ": mIoU %.2f&nbsp;%%</figcaption>\n</figure>\n", 100.0 * item->miou);
}

static void write_key(FILE *page, const struct df_eval_report *report)
{
    const struct df_best_worst *best_worst = report->best_worst;
    struct df_legend legend = {.palette = &best_worst->style.palette,
                               .names = report->names,
                               .n_classes = report->metrics->n_classes};

    for (int i = 0; i < best_worst->count; i++) {
        for (int number = 0; number < 256; number++)
            legend.shown[number] = legend.shown[number] || best_worst->items[i].shown[number];
    }
    df_html_legend(page, &legend);
}

static void write_pictures(FILE *page, const struct df_eval_report *report)
{
    const struct df_best_worst *best_worst = report->best_worst;
    /* Of few images, none is shown twice. */
    const int worst = best_worst->count <= DF_BEST_WORST_KEPT ? best_worst->count : DF_BEST_WORST_KEPT;

    if (best_worst->count == 0)
        return;
    df_html_heading(page, best_worst->count > worst ? "Worst images" : "All images, the worst first");
    fputs("<p>Left to right: the image, its label, the prediction, each region in the colour and with the "
          "number of its class. A background stays as the image is; hatched pixels do not count.</p>\n",
          page);
    write_key(page, report);
    for (int i = 0; i < worst; i++)
        write_picture(page, &best_worst->items[i]);
    if (best_worst->count > worst)
        df_html_heading(page, "Best images");
    for (int i = best_worst->count - 1; i >= worst; i--)
        write_picture(page, &best_worst->items[i]);
}

int eval_report_images(FILE *page, const struct df_eval_report *report)
{
    if (report->images) {
        df_html_heading(page, "Images");
        DF_TRY(write_histogram(page, report->images));
    }
    if (report->best_worst)
        write_pictures(page, report);
    return 0;
}
