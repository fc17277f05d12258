#include "plot.h"
#include "svg.h"

#include "dinoft/error.h"
#include "../html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH         720.0 /* of a single panel */
#define HALF_WIDTH    480.0 /* of one of two side by side */
#define PITCH         18.0  /* from bar to bar */
#define SECOND_PITCH  25.0  /* where each has a second one */
#define BAR           11.0  /* how thick a bar is */
#define SECOND_BAR    7.0
#define SECOND_SIZE   9 /* of its value */
#define NAME_WIDTH    190.0
#define VALUE_WIDTH   42.0
#define LEGEND_HEIGHT 22.0
#define LEVEL_HEIGHT  16.0
#define AXIS_HEIGHT   40.0
#define LONGEST_PANEL 40 /* bars; more are spread over twice as many panels as pages of two columns need */

/* What the panels of a chart have in common. */
struct layout {
    double width, left, plot_width, pitch, top;
    struct svg_axis axis;
};

static double bar_position(const struct layout *layout, double value)
{
    return layout->left + layout->plot_width * value / layout->axis.most;
}

static double largest_value(const struct df_bar_chart *chart)
{
    double largest = isnan(chart->level.value) ? 0.0 : chart->level.value;
    for (size_t i = 0; i < chart->count; i++) {
        largest = fmax(largest, chart->bars[i].value);
        if (chart->second)
            largest = fmax(largest, chart->bars[i].second);
    }
    return largest;
}

static struct layout lay_out(const struct df_bar_chart *chart, size_t panels)
{
    struct layout layout = {
        .width = panels > 1 ? HALF_WIDTH : WIDTH, .pitch = chart->second ? SECOND_PITCH : PITCH, .top = 4.0};
    for (size_t i = 0; i < chart->count; i++)
        layout.left = fmax(layout.left, svg_name_width(chart->bars[i].name, NAME_WIDTH));
    layout.left += 8.0;
    layout.plot_width = layout.width - layout.left - VALUE_WIDTH;
    layout.axis = svg_axis_for(largest_value(chart), panels > 1 ? 5 : 10);
    if (chart->second)
        layout.top += LEGEND_HEIGHT;
    if (!isnan(chart->level.value))
        layout.top += LEVEL_HEIGHT;
    return layout;
}

static void draw_axis(FILE *page, const struct df_bar_chart *chart, const struct layout *layout,
                      double bottom)
{
    for (int i = 0; i <= svg_axis_steps(&layout->axis); i++) {
        const double value = i * layout->axis.step, x = bar_position(layout, value);
        svg_line(page, x, layout->top, x, bottom, i == 0 ? SVG_INK : SVG_GRID);
        svg_number(page, x, bottom + 15.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, value,
                   layout->axis.decimals);
    }
    svg_text(page, layout->left + 0.5 * layout->plot_width, bottom + 33.0, SVG_MIDDLE, SVG_TICK_SIZE,
             SVG_FAINT, chart->label);
}

static void draw_legend(FILE *page, const struct df_bar_chart *chart, const struct layout *layout)
{
    const double second = layout->left + 40.0 + svg_name_width(chart->label, NAME_WIDTH);
    svg_rectangle(page, layout->left, 4.0, 12.0, 10.0, SVG_BAR);
    svg_name(page, layout->left + 18.0, 13.0, SVG_START, NAME_WIDTH, chart->label);
    svg_rectangle(page, second, 4.0, 12.0, 10.0, SVG_PALE);
    svg_name(page, second + 18.0, 13.0, SVG_START, NAME_WIDTH, chart->second);
}

static void draw_level(FILE *page, const struct df_bar_chart *chart, const struct layout *layout,
                       double bottom)
{
    const double x = bar_position(layout, chart->level.value);
    svg_dashed_line(page, x, layout->top - 3.0, x, bottom, SVG_LEVEL);
    svg_text(page, x, layout->top - 6.0, x > layout->width - 60.0 ? SVG_END : SVG_MIDDLE, SVG_TICK_SIZE,
             SVG_LEVEL, chart->level.name);
}

/* Where bar i lies from top to bottom, with its second bar. */
static double bar_top(const struct df_bar_chart *chart, const struct layout *layout, size_t i)
{
    const double inner = chart->second ? BAR + SECOND_BAR : BAR;
    return layout->top + layout->pitch * (double)i + 0.5 * (layout->pitch - inner) + 1.5;
}

static void draw_bars(FILE *page, const struct df_bar_chart *chart, const struct layout *layout,
                      const struct df_bar *bar, double y)
{
    if (!isnan(bar->value))
        svg_rectangle(page, layout->left, y, bar_position(layout, bar->value) - layout->left, BAR, SVG_BAR);
    if (chart->second && !isnan(bar->second))
        svg_rectangle(page, layout->left, y + BAR, bar_position(layout, bar->second) - layout->left,
                      SECOND_BAR, SVG_PALE);
}

static void draw_number(FILE *page, const struct layout *layout, double middle, double value, int size)
{
    svg_number(page, bar_position(layout, isnan(value) ? 0.0 : value) + 4.0, middle + 0.36 * size, SVG_START,
               size, SVG_INK, value, 1);
}

static void draw_texts(FILE *page, const struct df_bar_chart *chart, const struct layout *layout,
                       const struct df_bar *bar, double y)
{
    const double middle = y + 0.5 * (chart->second ? BAR + SECOND_BAR : BAR);

    svg_name(page, layout->left - 6.0, middle + 4.2, SVG_END, NAME_WIDTH, bar->name);
    draw_number(page, layout, y + 0.5 * BAR, bar->value, SVG_TICK_SIZE);
    if (chart->second)
        draw_number(page, layout, y + BAR + 0.5 * SECOND_BAR + 1.0, bar->second, SECOND_SIZE);
}

static void draw_panel(FILE *page, const struct df_bar_chart *chart, const struct layout *layout,
                       const struct df_bar *bars, size_t count)
{
    const double bottom = layout->top + layout->pitch * (double)count + 3.0;

    svg_begin(page, layout->width, bottom + AXIS_HEIGHT, chart->label);
    draw_axis(page, chart, layout, bottom);
    if (chart->second)
        draw_legend(page, chart, layout);
    for (size_t i = 0; i < count; i++)
        draw_bars(page, chart, layout, &bars[i], bar_top(chart, layout, i));
    if (!isnan(chart->level.value))
        draw_level(page, chart, layout, bottom);
    for (size_t i = 0; i < count; i++)
        draw_texts(page, chart, layout, &bars[i], bar_top(chart, layout, i));
    svg_end(page);
}

/* The largest first, what has no value last, and names in order where values are equal. */
static int compare_bars(const void *a, const void *b)
{
    const struct df_bar *first = a, *second = b;
    if (isnan(first->value) != isnan(second->value))
        return isnan(first->value) ? 1 : -1;
    if (!isnan(first->value) && first->value != second->value)
        return first->value > second->value ? -1 : 1;
    return strcmp(first->name, second->name);
}

int df_plot_bars(FILE *page, const struct df_bar_chart *chart)
{
    if (chart->count == 0)
        return 0;
    const size_t panels = chart->count <= LONGEST_PANEL
                              ? 1
                              : 2 * ((chart->count + 2 * LONGEST_PANEL - 1) / (2 * LONGEST_PANEL));
    const size_t rows = (chart->count + panels - 1) / panels;
    const struct layout layout = lay_out(chart, panels);
    struct df_bar *bars = malloc(chart->count * sizeof *bars);

    if (!bars)
        return df_error_memory("a plot", chart->count * sizeof *bars);
    memcpy(bars, chart->bars, chart->count * sizeof *bars);
    if (chart->sorted)
        qsort(bars, chart->count, sizeof *bars, compare_bars);
    if (panels > 1)
        fputs("<div class=\"panels\">\n", page);
    for (size_t start = 0; start < chart->count; start += rows)
        draw_panel(page, chart, &layout, bars + start,
                   chart->count - start < rows ? chart->count - start : rows);
    if (panels > 1)
        fputs("</div>\n", page);
    free(bars);
    return 0;
}
