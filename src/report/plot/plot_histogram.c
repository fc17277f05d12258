#include "plot.h"
#include "svg.h"

#include <assert.h>
#include <math.h>

#define WIDTH      720.0
#define HEIGHT     240.0
#define LEFT       58.0
#define RIGHT      16.0
#define TOP        10.0
#define BOTTOM     44.0
#define MOST_STEPS 5

static void count_values(const struct df_histogram *histogram, double counts[DF_HISTOGRAM_BINS])
{
    for (int i = 0; i < histogram->n_bins; i++)
        counts[i] = 0.0;
    for (size_t i = 0; i < histogram->count; i++) {
        const double at = histogram->values[i] / histogram->most * histogram->n_bins;
        if (!isnan(at))
            counts[(int)fmin(fmax(at, 0.0), histogram->n_bins - 1)]++;
    }
}

void df_plot_histogram(FILE *page, const struct df_histogram *histogram)
{
    const double plot_width = WIDTH - LEFT - RIGHT, bottom = HEIGHT - BOTTOM, plot_height = bottom - TOP;
    const double bin = plot_width / histogram->n_bins;
    double counts[DF_HISTOGRAM_BINS], largest = 0.0;

    assert(histogram->n_bins >= 1 && histogram->n_bins <= DF_HISTOGRAM_BINS);
    count_values(histogram, counts);
    for (int i = 0; i < histogram->n_bins; i++)
        largest = fmax(largest, counts[i]);
    /* Parts of an image are no round numbers. */
    const struct svg_axis y_axis = svg_axis_for(fmax(largest, MOST_STEPS), MOST_STEPS);
    const struct svg_axis x_axis = svg_axis_for(histogram->most, 10);

    svg_begin(page, WIDTH, HEIGHT, histogram->x_label);
    for (int i = 0; i <= svg_axis_steps(&y_axis); i++) {
        const double y = bottom - plot_height * i / svg_axis_steps(&y_axis);
        svg_line(page, LEFT, y, WIDTH - RIGHT, y, SVG_GRID);
        svg_number(page, LEFT - 7.0, y + 4.0, SVG_END, SVG_TICK_SIZE, SVG_FAINT, i * y_axis.step, 0);
    }
    for (int i = 0; i < histogram->n_bins; i++) {
        const double height = plot_height * counts[i] / y_axis.most;
        if (counts[i] > 0.0)
            svg_rectangle(page, LEFT + bin * i + 1.0, bottom - height, bin - 2.0, height, SVG_BAR);
    }
    svg_line(page, LEFT, bottom, WIDTH - RIGHT, bottom, SVG_INK);
    for (int i = 0; i <= svg_axis_steps(&x_axis); i++) {
        const double value = i * x_axis.step;
        if (value <= histogram->most)
            svg_number(page, LEFT + plot_width * value / histogram->most, bottom + 16.0, SVG_MIDDLE,
                       SVG_TICK_SIZE, SVG_FAINT, value, x_axis.decimals);
    }
    svg_text(page, LEFT + 0.5 * plot_width, bottom + 36.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT,
             histogram->x_label);
    fprintf(page, "<g transform=\"translate(13 %.1f) rotate(-90)\">", TOP + 0.5 * plot_height);
    svg_text(page, 0.0, 0.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, histogram->y_label);
    fputs("</g>\n", page);
    svg_end(page);
}
