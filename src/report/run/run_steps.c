/* The steps of a run, however many, as a bounded number of means. */
#include "run_history.h"

#include "dinoft/error.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES 1024
#define COLUMNS_MAX    32

/* Every two neighbours become one. */
static void halve(struct df_steps *steps)
{
    for (size_t i = 0; i < DF_STEP_BINS / 2; i++) {
        struct df_step_bin bin = steps->bins[2 * i];
        const struct df_step_bin *next = &steps->bins[2 * i + 1];
        bin.last = next->last;
        for (int v = 0; v < DF_STEP_VALUES; v++) {
            bin.sums[v] += next->sums[v];
            bin.counts[v] += next->counts[v];
        }
        steps->bins[i] = bin;
    }
    steps->count = DF_STEP_BINS / 2;
    steps->width *= 2;
    steps->in_last = steps->width;
}

static struct df_step_bin *open_bin(struct df_steps *steps, int64_t step)
{
    if (steps->count == 0)
        steps->width = 1;
    else if (steps->in_last < steps->width)
        return &steps->bins[steps->count - 1];
    if (steps->count == DF_STEP_BINS)
        halve(steps);
    steps->in_last = 0;
    steps->bins[steps->count] = (struct df_step_bin){.first = step};
    return &steps->bins[steps->count++];
}

int df_steps_add(struct df_steps *steps, const struct df_step *step)
{
    if (step->epoch < 1 || step->step < 1 || step->epoch < steps->last_epoch ||
        step->step <= steps->last_step)
        return df_error_set("step %" PRId64 " of epoch %" PRId64 " comes behind step %" PRId64
                            " of epoch %" PRId64,
                            step->step, step->epoch, steps->last_step, steps->last_epoch);
    if (steps->last_epoch > 0 && step->epoch == steps->last_epoch + 1 &&
        steps->last_step % steps->last_epoch == 0)
        steps->epoch_steps = steps->last_step / steps->last_epoch;
    if (step->epoch > steps->last_epoch)
        steps->end_image_seconds += steps->last_image_seconds;
    struct df_step_bin *bin = open_bin(steps, step->step);
    bin->last = step->step;
    for (int v = 0; v < DF_STEP_VALUES; v++) {
        if (isfinite(step->values[v])) {
            bin->sums[v] += step->values[v];
            bin->counts[v]++;
        }
    }
    steps->in_last++;
    steps->last_epoch = step->epoch;
    steps->last_step = step->step;
    const double rate = step->values[DF_STEP_RATE];
    steps->last_image_seconds = isfinite(rate) && rate > 0.0 ? 1.0 / rate : 0.0;
    steps->image_seconds += steps->last_image_seconds;
    return 0;
}

double df_steps_mean(const struct df_step_bin *bin, enum df_step_value value)
{
    return bin->counts[value] > 0 ? bin->sums[value] / (double)bin->counts[value] : NAN;
}

/* --- the file --- */

enum column { EPOCH = DF_STEP_VALUES, STEP, UNKNOWN };

struct reader {
    enum column columns[COLUMNS_MAX]; /* [n_columns]: a step's value, or one of these */
    int n_columns;
};

static int read_header(struct reader *reader, char *line)
{
    static const char *const names[] = {[DF_STEP_LOSS] = "loss",
                                        [DF_STEP_LR] = "lr",
                                        [DF_STEP_RATE] = "images_per_second",
                                        [DF_STEP_GRADIENT] = "gradient_norm",
                                        [EPOCH] = "epoch",
                                        [STEP] = "step"};
    unsigned found = 0;
    char *rest;

    for (char *name = strtok_r(line, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        int column = 0;
        if (reader->n_columns == COLUMNS_MAX)
            return df_error_set("it has more than %d columns", COLUMNS_MAX);
        while (column < UNKNOWN && strcmp(name, names[column]) != 0)
            column++;
        if (column < UNKNOWN && (found >> column & 1))
            return df_error_set("it has two columns of one name");
        found |= 1u << column;
        reader->columns[reader->n_columns++] = (enum column)column;
    }
    if (!(found >> EPOCH & 1) || !(found >> STEP & 1) || !(found >> DF_STEP_LOSS & 1))
        return df_error_set("it has no columns epoch, step and loss: it is no list of a run's steps");
    return 0;
}

static int read_cell(const char *cell, enum column column, struct df_step *step)
{
    char *end;

    errno = 0;
    if (column == EPOCH || column == STEP)
        *(column == EPOCH ? &step->epoch : &step->step) = strtoll(cell, &end, 10);
    else
        step->values[column] = strtod(cell, &end);
    /* Numbers that are too small or too large for a double are read as such. */
    return end != cell && *end == '\0' && (errno == 0 || column < EPOCH) ? 0 : df_error_set("no number");
}

static int read_row(const struct reader *reader, char *line, struct df_step *step)
{
    char *cell = line;

    for (int v = 0; v < DF_STEP_VALUES; v++)
        step->values[v] = NAN;
    for (int i = 0; i < reader->n_columns; i++) {
        if (!cell)
            return df_error_set("it has fewer cells than there are columns");
        char *comma = strchr(cell, ',');
        if (comma)
            *comma = '\0';
        if (reader->columns[i] != UNKNOWN && read_cell(cell, reader->columns[i], step) != 0)
            return df_error_set("\"%.40s\" is no number", cell);
        cell = comma ? comma + 1 : NULL;
    }
    return cell ? df_error_set("it has more cells than there are columns") : 0;
}

/* Takes the end off. False for a line that has none. */
static bool end_line(char *line, size_t length)
{
    if (length == 0 || line[length - 1] != '\n')
        return false;
    line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return true;
}

static int take_row(const struct reader *reader, char *line, struct df_steps *steps)
{
    struct df_step step = {0};

    DF_TRY(read_row(reader, line, &step));
    if (steps->count == 0)
        steps->from_zero = step.epoch == 0;
    if (steps->from_zero && step.epoch < INT64_MAX)
        step.epoch++;
    return df_steps_add(steps, &step);
}

static int read_lines(FILE *file, struct df_steps *steps, int64_t *number)
{
    struct reader reader = {.n_columns = 0};
    char line[LINE_MAX_BYTES];

    for (*number = 1; fgets(line, sizeof line, file); ++*number) {
        const size_t length = strlen(line); /* up to a zero byte, as power cuts leave them */
        if (!end_line(line, length)) {
            steps->is_cut = feof(file);
            if (!steps->is_cut)
                return df_error_set("it is too long, or holds a zero byte");
            return 0;
        }
        DF_TRY(*number == 1 ? read_header(&reader, line) : take_row(&reader, line, steps));
    }
    return ferror(file) ? df_error_set("%s", strerror(errno)) : 0;
}

int df_steps_read(const char *path, struct df_steps *steps)
{
    struct stat facts;
    int64_t number = 0;

    memset(steps, 0, sizeof *steps);
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode)) /* opening a pipe would wait for its writer */
        return df_error_set("cannot read %s: it is not a regular file", path);
    FILE *file = fopen(path, "r");
    if (!file)
        return df_error_set("cannot read %s: %s", path, strerror(errno));
    const int status = read_lines(file, steps, &number);
    fclose(file);
    return status == 0 ? 0 : df_error_context("%s, line %" PRId64, path, number);
}
