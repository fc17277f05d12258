#include "plot.h"
#include "svg.h"

#include <assert.h>
#include <math.h>

#define WIDTH  420.0
#define LEFT   58.0
#define SIDE   340.0 /* of the square */
#define TOP    10.0
#define BOTTOM (TOP + SIDE)
#define STEPS  5
/* The shares below it. */
#define SHARES_TOP    (BOTTOM + 14.0)
#define SHARES_HEIGHT 70.0
#define SHARES_BOTTOM (SHARES_TOP + SHARES_HEIGHT)
#define HEIGHT        (SHARES_BOTTOM + 44.0)

static void draw_axes(FILE *page)
{
    for (int i = 0; i <= STEPS; i++) {
        const double part = (double)i / STEPS, y = BOTTOM - SIDE * part, x = LEFT + SIDE * part;
        svg_line(page, LEFT, y, LEFT + SIDE, y, i == 0 ? SVG_INK : SVG_GRID);
        svg_number(page, LEFT - 7.0, y + 4.0, SVG_END, SVG_TICK_SIZE, SVG_FAINT, 100.0 * part, 0);
        svg_number(page, x, SHARES_BOTTOM + 16.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, 100.0 * part, 0);
    }
    svg_line(page, LEFT, SHARES_BOTTOM, LEFT + SIDE, SHARES_BOTTOM, SVG_INK);
    svg_text(page, LEFT + 0.5 * SIDE, SHARES_BOTTOM + 36.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT,
             "confidence, %");
}

static void draw_upward(FILE *page, double y, const char *text)
{
    fprintf(page, "<g transform=\"translate(13 %.1f) rotate(-90)\">", y);
    svg_text(page, 0.0, 0.0, SVG_MIDDLE, SVG_TICK_SIZE, SVG_FAINT, text);
    fputs("</g>\n", page);
}

void df_plot_reliability(FILE *page, const struct df_reliability *reliability)
{
    const double bin = SIDE / reliability->n_bins;
    double largest = 0.0;

    assert(reliability->n_bins >= 1 && reliability->n_bins <= DF_HISTOGRAM_BINS);
    for (int i = 0; i < reliability->n_bins; i++)
        largest = fmax(largest, reliability->share[i]);
    svg_begin(page, WIDTH, HEIGHT, "accuracy over confidence");
    draw_axes(page);
    for (int i = 0; i < reliability->n_bins; i++) {
        const double x = LEFT + bin * i + 1.0, share = reliability->share[i];
        if (!isnan(reliability->accuracy[i]) && reliability->accuracy[i] > 0.0)
            svg_rectangle(page, x, BOTTOM - SIDE * reliability->accuracy[i], bin - 2.0,
                          SIDE * reliability->accuracy[i], SVG_BAR);
        if (share > 0.0)
            svg_rectangle(page, x, SHARES_BOTTOM - SHARES_HEIGHT * share / largest, bin - 2.0,
                          SHARES_HEIGHT * share / largest, SVG_PALE);
    }
    svg_dashed_line(page, LEFT, BOTTOM, LEFT + SIDE, TOP, SVG_LEVEL);
    draw_upward(page, TOP + 0.5 * SIDE, "accuracy, %");
    draw_upward(page, SHARES_TOP + 0.5 * SHARES_HEIGHT, "pixels");
    svg_end(page);
}
