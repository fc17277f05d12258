#include "plot.h"
#include "svg.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH       900.0
#define LEFT        56.0
#define RIGHT       180.0 /* for the names */
#define TOP         30.0
#define BOTTOM      46.0
#define HEIGHT      210.0 /* of the plot, at least */
#define AXIS_NAME   200.0 /* the widest name of the axis of values, above it */
#define KEY         26.0  /* of a curve's look before its name */
#define KEY_GAP     10.0
#define NAME_PITCH  18.0
#define MARK_PITCH  30.0 /* between marks, at least */
#define RING_RADIUS 6.5
#define FROM_ZERO   0.5 /* values that reach below this part of the largest are shown with the zero */

struct layout {
    double top, bottom;           /* of the plot */
    double left_x, right_x;       /* the values at its edges */
    double least;                 /* at the bottom */
    struct svg_axis axis, x_axis; /* above `least`; above left_x */
};

/* Where a curve's name goes. */
struct end {
    const struct df_curve *curve;
    double x, y; /* of its last point */
    double name_y;
};

static double x_of(const struct layout *layout, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (x - layout->left_x) / (layout->right_x - layout->left_x);
}

static double y_of(const struct layout *layout, double value)
{
    return layout->bottom - (layout->bottom - layout->top) * (value - layout->least) / layout->axis.most;
}

/* The smallest and largest of both coordinates; false where there is no point. */
static bool find_bounds(const struct df_curve_chart *chart, double x[2], double y[2])
{
    x[0] = y[0] = INFINITY;
    x[1] = y[1] = -INFINITY;
    for (size_t i = 0; i < chart->n_curves; i++) {
        const struct df_curve *curve = &chart->curves[i];
        for (size_t p = 0; p < curve->count; p++) {
            if (!isfinite(curve->y[p]))
                continue;
            x[0] = fmin(x[0], curve->x[p]);
            x[1] = fmax(x[1], curve->x[p]);
            y[0] = fmin(y[0], curve->y[p]);
            y[1] = fmax(y[1], curve->y[p]);
        }
    }
    return x[0] <= x[1];
}

static bool lay_out(const struct df_curve_chart *chart, struct layout *layout)
{
    double x[2], y[2];

    if (!find_bounds(chart, x, y))
        return false;
    layout->left_x = x[0] < FROM_ZERO * x[1] || x[0] == x[1] ? fmin(0.0, x[0]) : x[0];
    layout->right_x = x[1] > layout->left_x ? x[1] : layout->left_x + 1.0;
    layout->x_axis = svg_axis_for(layout->right_x - layout->left_x, 10);
    const bool from_zero = y[0] >= 0.0 && (y[0] < FROM_ZERO * y[1] || y[0] == y[1]);
    layout->axis = svg_axis_for(from_zero ? y[1] : y[1] - y[0], 6);
    layout->least = from_zero ? 0.0 : layout->axis.step * floor(y[0] / layout->axis.step);
    layout->axis.most = layout->axis.step * ceil((y[1] - layout->least) / layout->axis.step - 1e-9);
    layout->top = TOP;
    layout->bottom = TOP + fmax(HEIGHT, NAME_PITCH * (double)chart->n_curves);
    return true;
}

static void draw_axes(FILE *page, const struct df_curve_chart *chart, const struct layout *layout)
{
    const double right = WIDTH - RIGHT, step = layout->x_axis.step;

    for (int i = 0; i <= svg_axis_steps(&layout->axis); i++) {
        const double value = layout->least + i * layout->axis.step, y = y_of(layout, value);
        svg_line(page, LEFT, y, right, y, i == 0 ? SVG_INK : SVG_GRID);
        svg_number(page, LEFT - 7.0, y + 4.0, SVG_END, SVG_TICK_SIZE, SVG_FAINT, value,
                   layout->axis.decimals);
    }
    for (double mark = ceil(layout->left_x / step - 1e-9); mark * step <= layout->right_x + 1e-9 * step;
         mark++) {
        const double value = mark * step + 0.0 /* no -0 */, x = x_of(layout, value);
        svg_line(page, x, layout->bottom, x, layout->bottom + 4.0, SVG_INK);
        svg_number(page, x, layout->bottom + 17.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, value,
                   layout->x_axis.decimals);
    }
    svg_text(page, LEFT, TOP - 14.0, SVG_START, SVG_NAME_SIZE, SVG_INK, chart->y_label);
    svg_text(page, 0.5 * (LEFT + right), layout->bottom + 36.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT,
             chart->x_label);
}

static void begin_path(FILE *page, const struct df_curve *curve)
{
    if (curve->is_faint)
        fputs("<path fill=\"none\" stroke=\"" SVG_SHADOW "\" stroke-width=\"1\" d=\"", page);
    else
        fprintf(page,
                "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.7\" stroke-linejoin=\"round\" "
                "stroke-dasharray=\"%s\" d=\"",
                svg_series_color(curve->look), svg_series_dash(curve->look));
}

static void draw_marks(FILE *page, const struct df_curve *curve, const struct layout *layout)
{
    double marked = -INFINITY;

    for (size_t p = 0; p < curve->count; p++) {
        const double x = x_of(layout, curve->x[p]);
        if (!isfinite(curve->y[p]) || (x - marked < MARK_PITCH && (ptrdiff_t)p != curve->best))
            continue;
        svg_marker(page, x, y_of(layout, curve->y[p]), curve->look);
        marked = x;
    }
}

static void draw_curve(FILE *page, const struct df_curve *curve, const struct layout *layout)
{
    bool joined = false; /* to the point before: not across a gap */

    begin_path(page, curve);
    for (size_t p = 0; p < curve->count; p++) {
        const bool there = isfinite(curve->y[p]);
        if (there)
            fprintf(page, "%c%.1f %.1f", joined ? 'L' : 'M', x_of(layout, curve->x[p]),
                    y_of(layout, curve->y[p]));
        joined = there;
    }
    fputs("\"/>\n", page);
    if (!curve->is_faint)
        draw_marks(page, curve, layout);
}

static void draw_best(FILE *page, const struct df_curve *curve, const struct layout *layout)
{
    if (curve->best < 0)
        return;
    const double x = x_of(layout, curve->x[curve->best]), y = y_of(layout, curve->y[curve->best]);
    fprintf(page,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"none\" stroke=\"" SVG_INK
            "\" stroke-width=\"1.6\"/>\n",
            x, y, RING_RADIUS);
    if (!curve->best_name)
        return;
    const double half = 0.5 * svg_name_width(curve->best_name, RIGHT);
    const double middle = fmax(LEFT + half, fmin(x, WIDTH - RIGHT - half));
    /* Above, but not across the name of the axis. */
    const bool is_below = y - layout->top < 2.0 * SVG_NAME_SIZE && middle - half < LEFT + AXIS_NAME;
    svg_text(page, middle, is_below ? y + 1.6 * RING_RADIUS + SVG_NAME_SIZE : y - 1.6 * RING_RADIUS,
             SVG_MIDDLE, SVG_NAME_SIZE, SVG_INK, curve->best_name);
}

static int compare_ends(const void *a, const void *b)
{
    const struct end *first = a, *second = b;
    const int order = (first->y > second->y) - (first->y < second->y);
    return order != 0 ? order : (first->curve > second->curve) - (first->curve < second->curve);
}

/* Curves that have a point, the uppermost end first. */
static size_t find_ends(const struct df_curve_chart *chart, const struct layout *layout, struct end *ends)
{
    size_t count = 0;

    for (size_t i = 0; i < chart->n_curves; i++) {
        const struct df_curve *curve = &chart->curves[i];
        size_t last = curve->count;
        while (last > 0 && !isfinite(curve->y[last - 1]))
            last--;
        if (last > 0)
            ends[count++] = (struct end){
                .curve = curve, .x = x_of(layout, curve->x[last - 1]), .y = y_of(layout, curve->y[last - 1])};
    }
    qsort(ends, count, sizeof *ends, compare_ends);
    return count;
}

/* As near to the ends as they can be without touching each other. */
static void spread_names(struct end *ends, size_t count, const struct layout *layout)
{
    for (size_t i = 0; i < count; i++)
        ends[i].name_y = i > 0 ? fmax(ends[i].y, ends[i - 1].name_y + NAME_PITCH) : ends[i].y;
    for (size_t i = count; i-- > 0;)
        ends[i].name_y = fmin(ends[i].name_y, layout->bottom - NAME_PITCH * (double)(count - 1 - i));
}

static void draw_name(FILE *page, const struct end *end)
{
    const double left = WIDTH - RIGHT + KEY_GAP;

    if (WIDTH - RIGHT - end->x < KEY) /* a curve that ends early would have a line across the others */
        fprintf(page, "<path fill=\"none\" stroke=\"" SVG_GRID "\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", end->x,
                end->y, left, end->name_y);
    begin_path(page, end->curve);
    fprintf(page, "M%.1f %.1fh%.1f\"/>\n", left, end->name_y, KEY);
    if (!end->curve->is_faint)
        svg_marker(page, left + 0.5 * KEY, end->name_y, end->curve->look);
    svg_name(page, left + KEY + 7.0, end->name_y + 4.2, SVG_START, RIGHT - KEY_GAP - KEY - 7.0,
             end->curve->name);
}

static int draw_names(FILE *page, const struct df_curve_chart *chart, const struct layout *layout)
{
    struct end *ends = calloc(chart->n_curves + 1, sizeof *ends);

    if (!ends)
        return df_error_memory("a plot", (chart->n_curves + 1) * sizeof *ends);
    const size_t count = find_ends(chart, layout, ends);
    spread_names(ends, count, layout);
    for (size_t i = 0; i < count; i++)
        draw_name(page, &ends[i]);
    free(ends);
    return 0;
}

int df_plot_curves(FILE *page, const struct df_curve_chart *chart)
{
    struct layout layout;

    if (!lay_out(chart, &layout))
        return 0;
    svg_begin(page, WIDTH, layout.bottom + BOTTOM, chart->title);
    draw_axes(page, chart, &layout);
    for (int faint = 1; faint >= 0; faint--) {
        for (size_t i = 0; i < chart->n_curves; i++) {
            if (chart->curves[i].is_faint == faint)
                draw_curve(page, &chart->curves[i], &layout);
        }
    }
    for (size_t i = 0; i < chart->n_curves; i++)
        draw_best(page, &chart->curves[i], &layout);
    const int status = draw_names(page, chart, &layout);
    svg_end(page);
    return status;
}
