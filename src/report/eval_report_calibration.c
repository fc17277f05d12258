#include "eval_report_parts.h"
#include "plot/plot.h"

static int64_t all_pixels(const struct df_calibration_bin *bins)
{
    int64_t sum = 0;
    for (int i = 0; i < DF_CALIBRATION_BINS; i++)
        sum += bins[i].pixels;
    return sum;
}

static void write_bins(FILE *page, const struct df_calibration_bin *bins)
{
    static const struct df_html_column columns[] = {
        {"confidence", false}, {"mean, %", true}, {"accuracy, %", true}, {"pixels", true}};
    char range[32];

    df_html_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        if (bins[i].pixels == 0)
            continue;
        snprintf(range, sizeof range, "%.1f to %.1f %%", 100.0 * i / DF_CALIBRATION_BINS,
                 100.0 * (i + 1) / DF_CALIBRATION_BINS);
        df_html_row_begin(page, range);
        df_html_number(page, 100.0 * df_calibration_confidence(&bins[i]), 2);
        df_html_number(page, 100.0 * df_calibration_accuracy(&bins[i]), 2);
        df_html_count(page, bins[i].pixels);
        df_html_row_end(page);
    }
    df_html_table_end(page);
}

void eval_report_calibration(FILE *page, const struct df_eval_report *report)
{
    const struct df_calibration_bin *bins = report->metrics->calibration;
    const double all = (double)all_pixels(bins);
    double accuracy[DF_CALIBRATION_BINS], share[DF_CALIBRATION_BINS];
    const struct df_reliability reliability = {DF_CALIBRATION_BINS, accuracy, share};

    if (all == 0.0)
        return;
    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        accuracy[i] = df_calibration_accuracy(&bins[i]);
        share[i] = (double)bins[i].pixels / all;
    }
    df_html_heading(page, "Calibration");
    fputs("<figure>\n", page);
    df_plot_reliability(page, &reliability);
    fprintf(page,
            "<figcaption>Pixels by the probability of the class that they are given, in %d parts: above how "
            "often that class is right, below how many pixels there are. On the dashed line a model is as "
            "sure as it is right; below it, it is too sure. Expected calibration error: "
            "%.2f&nbsp;%%.</figcaption>\n</figure>\n",
            DF_CALIBRATION_BINS, 100.0 * df_calibration_error(bins));
    write_bins(page, bins);
}
