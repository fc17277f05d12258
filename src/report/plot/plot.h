/* Plots of numbers as drawings (SVG) and tables within a page (html.h): colours and shapes that can be
 * told apart on grey paper, axes at round numbers, nothing that overlaps. NaN is "not there": an en dash, a
 * gap in a line.
 *
 * Axes start at zero, so values are not negative, but for those of curves. Names are text from anywhere; long
 * ones are cut in the drawing and whole in its tooltip. */
#ifndef DINOFT_REPORT_PLOT_H
#define DINOFT_REPORT_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A level that is drawn as a dashed line across a plot, with its name: the clean score among the corrupted.
 */
struct df_plot_level {
    const char *name;
    double value; /* NaN: no line */
};

struct df_bar {
    const char *name;
    double value, second; /* second: where the chart has a name for it */
};

/* Horizontal bars, each with its value behind it; many of them are spread over several panels, side by side.
 */
struct df_bar_chart {
    const char *label;  /* of the axis: "IoU, %" */
    const char *second; /* what the second bars are; NULL: there are none */
    const struct df_bar *bars;
    size_t count;
    bool sorted; /* by value, the largest first; otherwise in their order */
    struct df_plot_level level;
};

/* -1 when out of memory. */
int df_plot_bars(FILE *page, const struct df_bar_chart *chart);

#define DF_PLOT_POINTS 8 /* of a line, at most */

struct df_line {
    const char *name;
    double values[DF_PLOT_POINTS]; /* [n_points] */
};

/* Lines over a few named points, with a legend. 36 lines look different from each other. */
struct df_line_chart {
    const char *title;          /* above; NULL: none */
    const char *x_label;        /* "severity" */
    const char *y_label;        /* "mIoU, %" */
    const char *const *x_names; /* [n_points]: "1" … "5" */
    size_t n_points;            /* 1 .. DF_PLOT_POINTS */
    const struct df_line *lines;
    size_t n_lines;
    double most; /* the axis reaches at least this value, so that charts side by side can be compared; 0: the
                    largest */
    struct df_plot_level level;
};

void df_plot_lines(FILE *page, const struct df_line_chart *chart);

/* A curve of points whose x ascends. */
struct df_curve {
    const char *name;    /* at its end */
    const double *x, *y; /* [count] */
    size_t count;
    size_t look;           /* its colour, dash and mark: 36 differ */
    bool is_faint;         /* a thin grey line without marks, behind the others */
    ptrdiff_t best;        /* the point with a ring around it; -1: none */
    const char *best_name; /* what is written there; NULL: nothing */
};

/* Curves over numbers, each with its name behind its end; the largest x is the right edge. Unlike other
 * charts' the axis of values begins where they do, if that is far from zero. */
struct df_curve_chart {
    const char *title, *x_label, *y_label;
    const struct df_curve *curves; /* [n_curves] */
    size_t n_curves;
};

/* -1 when out of memory. Nothing is drawn where no curve has a number. */
int df_plot_curves(FILE *page, const struct df_curve_chart *chart);

/* How many values lie in each of n_bins equal parts of 0 .. most; the last part includes `most`. NaN is left
 * out. */
struct df_histogram {
    const char *x_label, *y_label;
    const double *values;
    size_t count;
    double most;
    int n_bins; /* 1 .. DF_HISTOGRAM_BINS */
};

#define DF_HISTOGRAM_BINS 64

void df_plot_histogram(FILE *page, const struct df_histogram *histogram);

/* How often classes are right, over how sure they are, in equal parts of 0 .. 1, and the share of each part.
 */
struct df_reliability {
    int n_bins;                     /* 1 .. DF_HISTOGRAM_BINS */
    const double *accuracy, *share; /* [n_bins], 0 .. 1; accuracy NaN: the part is empty */
};

void df_plot_reliability(FILE *page, const struct df_reliability *reliability);

/* A row of a heat map. */
struct df_heat_row {
    const char *group; /* a heading goes in front of the first row of each group; NULL: none */
    const char *name;
    const double *values; /* [n_columns] */
    const char *instead;  /* a remark that takes the place of the values; NULL: none */
};

/* A table whose cells are coloured by their value (color_scale.h), light for `least` and dark for
 * `most`. */
struct df_heat_map {
    const char *corner;         /* the header of the names */
    const char *const *columns; /* [n_columns] */
    size_t n_columns;
    size_t n_apart; /* so many columns at the end stand apart: means of the others */
    const struct df_heat_row *rows;
    size_t n_rows;
    double least, most;
    int decimals;
};

void df_plot_heat_map(FILE *page, const struct df_heat_map *map);

#endif
