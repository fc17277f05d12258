#include "plot.h"
#include "svg.h"

#include <assert.h>
#include <math.h>

#define HEIGHT     290.0
#define PLOT_WIDTH 330.0
#define LEFT       52.0
#define TOP        12.0
#define TITLE      22.0 /* more above a chart with one */
#define BOTTOM     46.0
#define KEY        26.0 /* of a line's look in the legend */
#define KEY_PITCH  20.0
#define NAME_WIDTH 118.0 /* of the legend, so that charts side by side have one scale */
#define INSET      16.0  /* from the plot's edges to the first and the last point */

struct layout {
    double width, top, bottom;
    struct svg_axis axis;
    size_t n_points;
};

static double x_of(const struct layout *layout, size_t point)
{
    if (layout->n_points < 2)
        return LEFT + 0.5 * PLOT_WIDTH;
    return LEFT + INSET + (PLOT_WIDTH - 2 * INSET) * (double)point / (double)(layout->n_points - 1);
}

static double y_of(const struct layout *layout, double value)
{
    return layout->bottom - (layout->bottom - layout->top) * value / layout->axis.most;
}

static struct layout lay_out(const struct df_line_chart *chart)
{
    double largest = fmax(chart->most, isnan(chart->level.value) ? 0.0 : chart->level.value);
    for (size_t i = 0; i < chart->n_lines; i++) {
        for (size_t p = 0; p < chart->n_points; p++)
            largest = fmax(largest, chart->lines[i].values[p]);
    }
    return (struct layout){.width = LEFT + PLOT_WIDTH + 14.0 + KEY + 8.0 + NAME_WIDTH,
                           .top = TOP + (chart->title ? TITLE : 0.0),
                           .bottom = HEIGHT - BOTTOM,
                           .axis = svg_axis_for(largest, 8),
                           .n_points = chart->n_points};
}

static void draw_axes(FILE *page, const struct df_line_chart *chart, const struct layout *layout)
{
    const double middle = 0.5 * (layout->top + layout->bottom);

    for (int i = 0; i <= svg_axis_steps(&layout->axis); i++) {
        const double value = i * layout->axis.step, y = y_of(layout, value);
        svg_line(page, LEFT, y, LEFT + PLOT_WIDTH, y, i == 0 ? SVG_INK : SVG_GRID);
        svg_number(page, LEFT - 7.0, y + 4.0, SVG_END, SVG_TICK_SIZE, SVG_FAINT, value,
                   layout->axis.decimals);
    }
    for (size_t p = 0; p < chart->n_points; p++)
        svg_text(page, x_of(layout, p), layout->bottom + 17.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT,
                 chart->x_names[p]);
    svg_text(page, LEFT + 0.5 * PLOT_WIDTH, layout->bottom + 36.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT,
             chart->x_label);
    fprintf(page, "<g transform=\"translate(13 %.1f) rotate(-90)\">", middle);
    svg_text(page, 0.0, 0.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, chart->y_label);
    fputs("</g>\n", page);
}

static void draw_series(FILE *page, const struct df_line *line, size_t index, const struct layout *layout)
{
    fprintf(page, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.7\" stroke-dasharray=\"%s\" d=\"",
            svg_series_color(index), svg_series_dash(index));
    bool joined = false; /* to the point before: not across a gap */
    for (size_t p = 0; p < layout->n_points; p++) {
        const double value = line->values[p];
        if (!isnan(value))
            fprintf(page, "%c%.1f %.1f", joined ? 'L' : 'M', x_of(layout, p), y_of(layout, value));
        joined = !isnan(value);
    }
    fputs("\"/>\n", page);
    for (size_t p = 0; p < layout->n_points; p++) {
        if (!isnan(line->values[p]))
            svg_marker(page, x_of(layout, p), y_of(layout, line->values[p]), index);
    }
}

static void draw_legend(FILE *page, const struct df_line_chart *chart, const struct layout *layout)
{
    const double left = LEFT + PLOT_WIDTH + 14.0;
    double y = layout->top + 8.0;

    if (!isnan(chart->level.value)) {
        svg_dashed_line(page, left, y, left + KEY, y, SVG_LEVEL);
        svg_name(page, left + KEY + 8.0, y + 4.2, SVG_START, NAME_WIDTH, chart->level.name);
        y += KEY_PITCH;
    }
    for (size_t i = 0; i < chart->n_lines; i++, y += KEY_PITCH) {
        fprintf(page,
                "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.7\" stroke-dasharray=\"%s\" "
                "d=\"M%.1f %.1fh%.1f\"/>\n",
                svg_series_color(i), svg_series_dash(i), left, y, KEY);
        svg_marker(page, left + 0.5 * KEY, y, i);
        svg_name(page, left + KEY + 8.0, y + 4.2, SVG_START, NAME_WIDTH, chart->lines[i].name);
    }
}

void df_plot_lines(FILE *page, const struct df_line_chart *chart)
{
    const struct layout layout = lay_out(chart);
    const double legend = layout.top + 8.0 + KEY_PITCH * (double)(chart->n_lines + 1);

    assert(chart->n_points >= 1 && chart->n_points <= DF_PLOT_POINTS);
    svg_begin(page, layout.width, fmax(HEIGHT, legend), chart->title ? chart->title : chart->y_label);
    if (chart->title)
        svg_text(page, LEFT, TOP + 4.0, SVG_START, SVG_NAME_SIZE + 1, SVG_INK, chart->title);
    draw_axes(page, chart, &layout);
    if (!isnan(chart->level.value)) {
        const double y = y_of(&layout, chart->level.value);
        svg_dashed_line(page, LEFT, y, LEFT + PLOT_WIDTH, y, SVG_LEVEL);
    }
    for (size_t i = 0; i < chart->n_lines; i++)
        draw_series(page, &chart->lines[i], i, &layout);
    draw_legend(page, chart, &layout);
    svg_end(page);
}
