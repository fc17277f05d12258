#include "progress_line.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FALLBACK_COLUMNS  80
#define REDRAW_SECONDS    0.1
#define PLAIN_SECONDS     30.0
#define PLAIN_SHARE       10   /* a plain line after about every tenth of the work */
#define SMOOTHING_SECONDS 30.0 /* how long a step counts in the rates */
#define LOSS_KEPT         0.95 /* of what a loss counts, after one more */

/* Amounts and the time they took, of which the old fades: their quotient is the rate of late, and no step
 * needs to be waited for until it is right. */
struct recent {
    double steps, images, seconds;
};

/* What was shown of it in one place. */
struct view {
    bool used, terminal;
    double shown;       /* df_seconds() */
    int64_t shown_done; /* -1: nothing shown yet */
};

struct df_progress {
    FILE *stream;
    struct view screen, file; /* the stream, and that of --log_file */
    char *label;
    int64_t total, later, done, images; /* later: what comes behind the total */
    double later_seconds;               /* and behind that */
    double losses, weight; /* a sum in which older ones count less, and what they count together */
    char fields[DF_PROGRESS_FIELDS][DF_PROGRESS_FIELD_SIZE];
    double opened, updated; /* df_seconds() */
    struct recent recent;
};

struct df_progress *df_progress_open(FILE *stream, const char *label, int64_t total)
{
    struct df_progress *progress = calloc(1, sizeof *progress);
    if (!progress) {
        df_error_memory("a progress bar", sizeof *progress);
        return NULL;
    }
    progress->label = df_text_copy(label);
    if (!progress->label) {
        free(progress);
        return NULL;
    }
    progress->stream = stream;
    progress->total = total;
    progress->opened = progress->updated = df_seconds();
    const int descriptor = fileno(stream);
    progress->screen = (struct view){
        .used = !df_log_is_quiet(), .terminal = descriptor >= 0 && isatty(descriptor), .shown_done = -1};
    progress->file = (struct view){.used = df_log_file() >= 0, .shown_done = -1};
    return progress;
}

static int terminal_columns(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return FALLBACK_COLUMNS;
}

/* Seconds until everything is done; NaN while nothing tells. */
static double time_left(const struct df_progress *progress)
{
    const struct recent *recent = &progress->recent;
    const int64_t steps = progress->total + progress->later - progress->done;

    if (steps > 0)
        return recent->steps > 0 ? (double)steps * recent->seconds / recent->steps + progress->later_seconds
                                 : NAN;
    return progress->later_seconds > 0 ? progress->later_seconds : NAN;
}

static void collect(const struct df_progress *progress, struct progress_numbers *numbers)
{
    const struct recent *recent = &progress->recent;
    const bool finished = progress->done >= progress->total;
    const double elapsed = progress->updated - progress->opened;

    *numbers = (struct progress_numbers){
        .label = progress->label,
        .done = progress->done,
        .total = progress->total,
        .loss = progress->weight > 0 ? progress->losses / progress->weight : NAN,
        .rate = NAN,
        .elapsed = finished ? elapsed : NAN,
        .left = time_left(progress),
    };
    if (progress->images > 0 && recent->seconds > 0 && elapsed > 0) /* of late, and at the end of all */
        numbers->rate = finished ? (double)progress->images / elapsed : recent->images / recent->seconds;
    memcpy(numbers->fields, progress->fields, sizeof numbers->fields);
}

static void show(struct df_progress *progress, struct view *view)
{
    struct progress_numbers numbers;
    char line[PROGRESS_LINE_SIZE];

    collect(progress, &numbers);
    if (view->terminal) {
        const int columns = terminal_columns(progress->stream) - 1; /* a full line would wrap */
        progress_bar_line(line, &numbers, columns);
        fprintf(progress->stream, "\r%s\x1b[K", line);
    } else {
        progress_plain_line(line, &numbers);
        if (view == &progress->file)
            df_log_to_file("%s", line);
        else
            fprintf(progress->stream, "%s\n", line);
    }
    fflush(progress->stream);
    view->shown = progress->updated;
    view->shown_done = progress->done;
}

static bool is_due(const struct df_progress *progress, const struct view *view)
{
    if (!view->used || view->shown_done == progress->done)
        return false;
    if (view->shown_done < 0 || progress->done >= progress->total)
        return true;
    const double since = progress->updated - view->shown;
    if (view->terminal)
        return since >= REDRAW_SECONDS;
    const double share = (double)(progress->done - view->shown_done) / (double)progress->total;
    return since >= PLAIN_SECONDS || share >= 1.0 / PLAIN_SHARE;
}

void df_progress_begin(struct df_progress *progress, int64_t done)
{
    if (progress)
        progress->done = done;
}

static void show_where_due(struct df_progress *progress)
{
    if (is_due(progress, &progress->screen))
        show(progress, &progress->screen);
    if (is_due(progress, &progress->file))
        show(progress, &progress->file);
}

void df_progress_expect(struct df_progress *progress, int64_t steps)
{
    if (progress)
        progress->later = steps;
}

void df_progress_expect_seconds(struct df_progress *progress, double seconds)
{
    if (progress)
        progress->later_seconds = seconds;
}

void df_progress_field(struct df_progress *progress, int field, const char *format, ...)
{
    va_list arguments;

    assert(field >= 0 && field < DF_PROGRESS_FIELDS);
    if (!progress)
        return;
    va_start(arguments, format);
    vsnprintf(progress->fields[field], DF_PROGRESS_FIELD_SIZE, format, arguments);
    va_end(arguments);
}

void df_progress_update(struct df_progress *progress, int64_t done, int64_t images, double loss)
{
    if (!progress) /* there was no memory for it: no reason to end a run */
        return;
    double now = df_seconds();
    double passed = now - progress->updated;
    double kept = exp(-passed / SMOOTHING_SECONDS);
    struct recent *recent = &progress->recent;
    recent->steps = kept * recent->steps + (double)(done - progress->done);
    recent->images = kept * recent->images + (double)(images - progress->images);
    recent->seconds = kept * recent->seconds + passed;
    progress->updated = now;
    progress->done = done;
    progress->images = images;
    if (!isnan(loss)) {
        progress->losses = LOSS_KEPT * progress->losses + loss;
        progress->weight = LOSS_KEPT * progress->weight + 1;
    }
    show_where_due(progress);
}

/* The last line, where it is not there yet; a bar is drawn once more, as what was logged may have taken its
 * place. */
static void end_view(struct df_progress *progress, struct view *view)
{
    if (view->shown_done < 0)
        return;
    if (view->terminal || view->shown_done != progress->done)
        show(progress, view);
    if (view->terminal) {
        fputc('\n', progress->stream);
        fflush(progress->stream);
    }
}

void df_progress_close(struct df_progress *progress)
{
    if (!progress)
        return;
    end_view(progress, &progress->screen);
    end_view(progress, &progress->file);
    free(progress->label);
    free(progress);
}
