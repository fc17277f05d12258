/* What the drawings of plots share: axes, names, marks. Lengths are in the drawing's own pixels. */
#ifndef DINOFT_REPORT_SVG_H
#define DINOFT_REPORT_SVG_H

#include <stddef.h>
#include <stdio.h>

#define SVG_INK    "#1b1e22"
#define SVG_FAINT  "#6a717a" /* ticks and what explains */
#define SVG_GRID   "#e2e5e9"
#define SVG_SHADOW "#b4b9c0" /* behind the others: light, on grey paper too */
#define SVG_BAR    "#2f6690"
#define SVG_PALE   "#a9bfd1" /* a second series: clearly lighter, on grey paper too */
#define SVG_LEVEL  "#b5432a"

#define SVG_NAME_SIZE 12 /* of names and values */
#define SVG_TICK_SIZE 11

/* An axis from 0 to `most` with a mark at every `step`. */
struct svg_axis {
    double most, step;
    int decimals; /* that its marks need */
};

/* Round numbers: steps of 1, 2 or 5 times a power of ten, at most most_steps of them, up to the first that
 * reaches `largest`. Without a largest value (NaN, 0) the axis goes to 1. */
struct svg_axis svg_axis_for(double largest, int most_steps);

/* How many steps the axis has. */
int svg_axis_steps(const struct svg_axis *axis);

/* Opens a drawing; label: what it is, for those who do not see it. */
void svg_begin(FILE *page, double width, double height, const char *label);
void svg_end(FILE *page);

void svg_line(FILE *page, double x1, double y1, double x2, double y2, const char *color);
void svg_dashed_line(FILE *page, double x1, double y1, double x2, double y2, const char *color);
void svg_rectangle(FILE *page, double x, double y, double width, double height, const char *color);

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Text on the line y; size and colour as above. */
void svg_text(FILE *page, double x, double y, enum svg_anchor anchor, int size, const char *color,
              const char *text);
void svg_number(FILE *page, double x, double y, enum svg_anchor anchor, int size, const char *color,
                double value, int decimals);

/* Text that is cut with an ellipsis where it is wider than `width`; the whole is its tooltip then. */
void svg_name(FILE *page, double x, double y, enum svg_anchor anchor, double width, const char *text);

/* The width that a name takes, at most `most`. */
double svg_name_width(const char *text, double most);

/* The look of line number `index`: 36 differ. */
const char *svg_series_color(size_t index);
const char *svg_series_dash(size_t index); /* of stroke-dasharray */
void svg_marker(FILE *page, double x, double y, size_t index);

#endif
