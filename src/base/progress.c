#include "dinoft/progress.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_LENGTH   512
#define FALLBACK_COLUMNS  80
#define SHORTEST_BAR      8
#define LONGEST_BAR       40
#define REDRAW_SECONDS    0.1
#define PLAIN_SECONDS     30.0
#define PLAIN_SHARE       10   /* a plain line after about every tenth of the work */
#define SMOOTHING_SECONDS 30.0 /* how long a step counts in the rates */

/* Amounts and the time they took, of which the old fades: their quotient is the rate of late, and no step
 * needs to be waited for until it is right. */
struct recent {
    double steps, images, seconds;
};

struct df_progress {
    FILE *stream;
    char *label;
    int64_t total, later, done, images; /* later: what comes behind the total */
    double loss;
    bool terminal;
    double opened, updated, shown; /* df_seconds() */
    int64_t shown_done;            /* -1: nothing shown yet */
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
    progress->loss = NAN;
    progress->shown_done = -1;
    progress->opened = progress->updated = df_seconds();
    int descriptor = fileno(stream);
    progress->terminal = descriptor >= 0 && isatty(descriptor);
    return progress;
}

static int terminal_columns(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return FALLBACK_COLUMNS;
}

static void append(char line[LINE_MAX_LENGTH], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char line[LINE_MAX_LENGTH], const char *format, ...)
{
    size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, LINE_MAX_LENGTH - used, format, arguments);
    va_end(arguments);
}

/* "0:42", "1:02:03". */
static void append_duration(char line[LINE_MAX_LENGTH], const char *name, double duration)
{
    int64_t seconds = duration < 1e9 ? (int64_t)(duration + 0.5) : 1000000000;
    append(line, "  %s ", name);
    if (seconds >= 3600)
        append(line, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60), (int)(seconds % 60));
    else
        append(line, "%d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

/* "12/45  loss 1.234  3.4 img/s  eta 0:42" */
static void append_numbers(char line[LINE_MAX_LENGTH], const struct df_progress *progress)
{
    const struct recent *recent = &progress->recent;
    bool finished = progress->done >= progress->total;
    append(line, "%" PRId64 "/%" PRId64, progress->done, progress->total);
    if (!isnan(progress->loss))
        append(line, "  loss %.4g", progress->loss);
    double elapsed = progress->updated - progress->opened;
    if (progress->images > 0 && recent->seconds > 0 && elapsed > 0) {
        /* Of late while it goes on; of the whole at the end. */
        double rate = finished ? (double)progress->images / elapsed : recent->images / recent->seconds;
        append(line, rate < 100 ? "  %.3g img/s" : "  %.0f img/s", rate);
    }
    const int64_t left = progress->total + progress->later - progress->done;
    if (finished)
        append_duration(line, "time", elapsed);
    if (left > 0 && recent->steps > 0)
        append_duration(line, "eta", (double)left * recent->seconds / recent->steps);
}

/* "[====>     ] " of at most so many columns, nothing where it would be too short to read. */
static void append_bar(char line[LINE_MAX_LENGTH], const struct df_progress *progress, int columns)
{
    int length = columns - 3;
    if (length < SHORTEST_BAR || progress->total <= 0)
        return;
    if (length > LONGEST_BAR)
        length = LONGEST_BAR;
    double share = (double)progress->done / (double)progress->total;
    int filled = share >= 1 ? length : (int)(share * length);
    append(line, "[");
    for (int i = 0; i < length; i++)
        append(line, "%c", i < filled ? '=' : i == filled ? '>' : ' ');
    append(line, "] ");
}

static void show(struct df_progress *progress)
{
    char numbers[LINE_MAX_LENGTH] = "", line[LINE_MAX_LENGTH] = "";
    append_numbers(numbers, progress);
    append(line, "%s ", progress->label);
    if (progress->terminal) {
        int columns = terminal_columns(progress->stream) - 1; /* a full line would wrap */
        append_bar(line, progress, columns - (int)strlen(line) - (int)strlen(numbers));
        append(line, "%s", numbers);
        fprintf(progress->stream, "\r%.*s\x1b[K", columns, line);
    } else {
        fprintf(progress->stream, "%s%s\n", line, numbers);
    }
    fflush(progress->stream);
    progress->shown = progress->updated;
    progress->shown_done = progress->done;
}

static bool is_due(const struct df_progress *progress)
{
    if (progress->shown_done == progress->done)
        return false;
    if (progress->shown_done < 0 || progress->done >= progress->total)
        return true;
    double since = progress->updated - progress->shown;
    if (progress->terminal)
        return since >= REDRAW_SECONDS;
    double share = (double)(progress->done - progress->shown_done) / (double)progress->total;
    return since >= PLAIN_SECONDS || share >= 1.0 / PLAIN_SHARE;
}

void df_progress_expect(struct df_progress *progress, int64_t steps)
{
    if (progress)
        progress->later = steps;
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
    progress->loss = loss;
    if (is_due(progress))
        show(progress);
}

void df_progress_close(struct df_progress *progress)
{
    if (!progress)
        return;
    if (progress->shown_done >= 0) {
        if (progress->shown_done != progress->done)
            show(progress);
        if (progress->terminal) {
            fputc('\n', progress->stream);
            fflush(progress->stream);
        }
    }
    free(progress->label);
    free(progress);
}
