/* The course of runs as curves over their epochs. */
#include "run_parts.h"

#include "../plot/plot.h"

#include "dinoft/best_score.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_TEXT 64

/* The curves of a chart, while they are made. */
struct drawing {
    struct df_curve *curves; /* [count] */
    size_t count;
    char (*best_names)[NAME_TEXT];
};

/* Steps of an epoch, as far as that can be known. */
static double epoch_steps(const struct df_run_history *history)
{
    const struct df_steps *steps = &history->steps;
    return steps->epoch_steps > 0 ? (double)steps->epoch_steps : (double)steps->last_step;
}

/* Where the end of an epoch lies: the last one may have been left early. */
static double epoch_end(const struct df_run_history *history, int64_t epoch)
{
    const struct df_steps *steps = &history->steps;

    if (steps->count == 0)
        return (double)epoch;
    return fmin((double)epoch, (double)steps->last_step / epoch_steps(history));
}

/* count (1 or more) points to be filled. NULL when out of memory. */
static double *add_curve(struct drawing *drawing, const char *name, size_t look, size_t count)
{
    double *points = malloc(2 * count * sizeof *points);

    if (!points) {
        df_error_memory("a plot", 2 * count * sizeof *points);
        return NULL;
    }
    drawing->curves[drawing->count++] = (struct df_curve){
        .name = name, .x = points, .y = points + count, .count = count, .look = look, .best = -1};
    return points;
}

/* A value of the steps; nothing where there are none. */
static int add_steps(struct drawing *drawing, const struct df_run_history *history, const char *name,
                     size_t look, enum df_step_value value, double factor)
{
    const struct df_steps *steps = &history->steps;
    double *points = steps->count > 0 ? add_curve(drawing, name, look, steps->count) : NULL;

    if (!points)
        return steps->count > 0 ? -1 : 0;
    for (size_t i = 0; i < steps->count; i++) {
        const struct df_step_bin *bin = &steps->bins[i];
        points[i] = 0.5 * (double)(bin->first + bin->last) / epoch_steps(history);
        points[steps->count + i] = factor * df_steps_mean(bin, value);
    }
    return 0;
}

static int add_epochs(struct drawing *drawing, const struct df_run_history *history, const char *name,
                      size_t look)
{
    const size_t count = (size_t)history->n_epochs;
    double *points = count > 0 ? add_curve(drawing, name, look, count) : NULL;

    if (!points)
        return count > 0 ? -1 : 0;
    for (size_t i = 0; i < count; i++) {
        points[i] = epoch_end(history, (int64_t)i + 1);
        points[count + i] = history->train_loss[i];
    }
    return 0;
}

/* A number of the validations, its best one with a ring; what is written there if it `is_told`. */
static int add_validations(struct drawing *drawing, const struct df_run_history *history, const char *name,
                           size_t look, enum df_best_metric metric, bool is_told)
{
    const size_t count = (size_t)history->n_validations;
    const double factor = metric == DF_BEST_LOSS ? 1.0 : 100.0;
    double *points = count > 0 ? add_curve(drawing, name, look, count) : NULL;
    char score[DF_BEST_SCORE_TEXT];

    if (!points)
        return count > 0 ? -1 : 0;
    for (size_t i = 0; i < count; i++) {
        points[i] = epoch_end(history, history->validations[i].epoch);
        points[count + i] = factor * df_run_score(&history->validations[i], metric);
    }
    struct df_curve *curve = &drawing->curves[drawing->count - 1];
    curve->best = (ptrdiff_t)df_run_best(history, metric);
    if (curve->best < 0 || !is_told)
        return 0;
    const struct df_run_validation *best = &history->validations[curve->best];
    char *text = drawing->best_names[drawing->count - 1];
    snprintf(text, NAME_TEXT, "%s %s, epoch %" PRId64, metric == DF_BEST_LOSS ? "least" : "best",
             df_best_score_text(metric, df_run_score(best, metric), score), best->epoch);
    curve->best_name = text;
    return 0;
}

static int open_drawing(struct drawing *drawing, size_t most)
{
    *drawing = (struct drawing){.curves = calloc(most, sizeof *drawing->curves),
                                .best_names = calloc(most, sizeof *drawing->best_names)};
    return drawing->curves && drawing->best_names ? 0 : df_error_memory("a plot", most * NAME_TEXT);
}

static void close_drawing(struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++)
        free((double *)drawing->curves[i].x);
    free(drawing->curves);
    free(drawing->best_names);
}

static bool has_numbers(const struct drawing *drawing)
{
    for (size_t i = 0; i < drawing->count; i++) {
        for (size_t p = 0; p < drawing->curves[i].count; p++) {
            if (isfinite(drawing->curves[i].y[p]))
                return true;
        }
    }
    return false;
}

/* status: whether all curves were made. Closes the drawing. */
static int draw(FILE *page, struct drawing *drawing, int status, const char *title, const char *y_label,
                const char *caption)
{
    const struct df_curve_chart chart = {.title = title,
                                         .x_label = "epoch",
                                         .y_label = y_label,
                                         .curves = drawing->curves,
                                         .n_curves = drawing->count};

    if (status == 0 && has_numbers(drawing)) {
        fputs("<figure>\n", page);
        status = df_plot_curves(page, &chart);
        if (caption)
            fprintf(page, "<figcaption>%s</figcaption>\n", caption);
        fputs("</figure>\n", page);
    }
    close_drawing(drawing);
    return status;
}

/* --- one run --- */

static int draw_losses(FILE *page, const struct df_run_history *history)
{
    struct drawing drawing;
    int status = open_drawing(&drawing, 3);

    if (status == 0)
        status = add_steps(&drawing, history, "training, steps", 0, DF_STEP_LOSS, 1.0);
    if (status == 0 && drawing.count > 0)
        drawing.curves[0].is_faint = true;
    if (status == 0)
        status = add_epochs(&drawing, history, "training, epochs", 0);
    if (status == 0)
        status = add_validations(&drawing, history, "validation", 1, DF_BEST_LOSS, true);
    char *caption = status == 0 && history->steps.width > 1
                        ? df_text_format("A point of the thin line is the mean of %" PRId64 " steps.",
                                         history->steps.width)
                        : NULL;
    status = draw(page, &drawing, status, "loss", "loss", caption);
    free(caption);
    return status;
}

/* --- one number of every run --- */

static int draw_scores(FILE *page, const struct run_shown *runs, size_t count, enum df_best_metric metric)
{
    struct drawing drawing;
    char *label = df_text_format(metric == DF_BEST_LOSS ? "%s" : "%s, %%", df_best_metric_title(metric));
    int status = open_drawing(&drawing, count);

    for (size_t i = 0; i < count && status == 0 && label; i++)
        status = add_validations(&drawing, runs[i].history, count > 1 ? runs[i].label : "validation", i,
                                 metric, count == 1);
    status = draw(page, &drawing, label ? status : -1, df_best_metric_title(metric), label,
                  count > 1 ? "The best validation of each run has a ring." : NULL);
    free(label);
    return status;
}

static int draw_train_losses(FILE *page, const struct run_shown *runs, size_t count)
{
    struct drawing drawing;
    int status = open_drawing(&drawing, count);

    for (size_t i = 0; i < count && status == 0; i++)
        status = add_epochs(&drawing, runs[i].history, runs[i].label, i);
    return draw(page, &drawing, status, "training loss", "training loss, mean of an epoch", NULL);
}

/* The power of ten that the largest learning rate has: marks such as 0.000025 are hard to read. */
static int rate_power(const struct run_shown *runs, size_t count)
{
    double largest = 0.0;

    for (size_t i = 0; i < count; i++) {
        const struct df_steps *steps = &runs[i].history->steps;
        for (size_t b = 0; b < steps->count; b++)
            largest = fmax(largest, df_steps_mean(&steps->bins[b], DF_STEP_LR));
    }
    return largest > 0.0 && largest < 0.1 ? (int)floor(log10(largest)) : 0;
}

static int draw_rates(FILE *page, const struct run_shown *runs, size_t count)
{
    const int power = rate_power(runs, count);
    char label[NAME_TEXT] = "learning rate";
    struct drawing drawing;
    int status = open_drawing(&drawing, count);

    if (power != 0)
        snprintf(label, sizeof label, "learning rate, in units of 1e%d", power);
    for (size_t i = 0; i < count && status == 0; i++)
        status = add_steps(&drawing, runs[i].history, count > 1 ? runs[i].label : "learning rate", i,
                           DF_STEP_LR, pow(10.0, -power));
    return draw(page, &drawing, status, "learning rate", label, NULL);
}

static bool is_metric_of_any(const struct run_shown *runs, size_t count, enum df_best_metric metric)
{
    for (size_t i = 0; i < count; i++) {
        if (runs[i].history->best_metric == metric)
            return true;
    }
    return false;
}

int run_curves_write(FILE *page, const struct run_shown *runs, size_t count)
{
    df_html_heading(page, "Curves");
    if (count == 1)
        DF_TRY(draw_losses(page, runs[0].history));
    DF_TRY(draw_scores(page, runs, count, DF_BEST_MIOU));
    if (is_metric_of_any(runs, count, DF_BEST_PIXEL_ACCURACY))
        DF_TRY(draw_scores(page, runs, count, DF_BEST_PIXEL_ACCURACY));
    if (is_metric_of_any(runs, count, DF_BEST_REFERENCE_MIOU))
        DF_TRY(draw_scores(page, runs, count, DF_BEST_REFERENCE_MIOU));
    if (count > 1) {
        DF_TRY(draw_scores(page, runs, count, DF_BEST_LOSS));
        DF_TRY(draw_train_losses(page, runs, count));
    }
    return draw_rates(page, runs, count);
}
