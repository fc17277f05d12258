#include "progress_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define SHORTEST_BAR 8
#define LONGEST_BAR  40
#define BAR_FRAME    3 /* the columns of "[", "]" and a space */
#define GAP          2 /* between numbers */

/* The numbers in their order on the line. */
enum part { COUNT, LOSS, FIELDS, RATE = FIELDS + DF_PROGRESS_FIELDS, ELAPSED, LEFT, PARTS };

#define BAR PARTS /* in the list below */

/* What is kept first where there is little room. */
static const int by_importance[] = {COUNT, LEFT, ELAPSED, LOSS, BAR, FIELDS, RATE, FIELDS + 1, FIELDS + 2};
_Static_assert(sizeof by_importance / sizeof *by_importance == PARTS + 1, "each part and the bar, once");

struct parts {
    char texts[PARTS][DF_PROGRESS_FIELD_SIZE]; /* "": not shown */
};

static void append(char line[PROGRESS_LINE_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(char line[PROGRESS_LINE_SIZE], const char *format, ...)
{
    const size_t used = strlen(line);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + used, PROGRESS_LINE_SIZE - used, format, arguments);
    va_end(arguments);
}

/* "eta 0:42", "time 1:02:03". */
static void write_duration(char text[DF_PROGRESS_FIELD_SIZE], const char *name, double duration)
{
    const int64_t seconds = duration < 1e9 ? (int64_t)(duration + 0.5) : 1000000000;

    if (seconds >= 3600)
        snprintf(text, DF_PROGRESS_FIELD_SIZE, "%s %" PRId64 ":%02d:%02d", name, seconds / 3600,
                 (int)(seconds / 60 % 60), (int)(seconds % 60));
    else
        snprintf(text, DF_PROGRESS_FIELD_SIZE, "%s %d:%02d", name, (int)(seconds / 60), (int)(seconds % 60));
}

/* Numbers keep their zeros, so that a line's length does not change all the time; those that are rounded to
 * no digit behind the point have none. */
static void write_parts(struct parts *parts, const struct progress_numbers *numbers)
{
    memset(parts, 0, sizeof *parts);
    snprintf(parts->texts[COUNT], DF_PROGRESS_FIELD_SIZE, "%" PRId64 "/%" PRId64, numbers->done,
             numbers->total);
    if (!isnan(numbers->loss))
        snprintf(parts->texts[LOSS], DF_PROGRESS_FIELD_SIZE,
                 numbers->loss < 999.95 ? "loss %#.4g" : "loss %.4g", numbers->loss);
    memcpy(parts->texts[FIELDS], numbers->fields, sizeof numbers->fields);
    if (!isnan(numbers->rate))
        snprintf(parts->texts[RATE], DF_PROGRESS_FIELD_SIZE,
                 numbers->rate < 99.95 ? "%#.3g img/s" : "%.0f img/s", numbers->rate);
    if (!isnan(numbers->elapsed))
        write_duration(parts->texts[ELAPSED], "time", numbers->elapsed);
    if (!isnan(numbers->left))
        write_duration(parts->texts[LEFT], "eta", numbers->left);
}

static void append_parts(char line[PROGRESS_LINE_SIZE], const struct parts *parts)
{
    const char *gap = "";

    for (int part = 0; part < PARTS; part++) {
        if (parts->texts[part][0] == '\0')
            continue;
        append(line, "%s%s", gap, parts->texts[part]);
        gap = "  ";
    }
}

/* Takes away what finds no room. Returns the columns that are left for the bar, its frame included. */
static int choose(struct parts *parts, int columns)
{
    int bar = 0;
    bool full = false;

    columns += GAP; /* the first number has none in front of it */
    for (int i = 0; i <= PARTS; i++) {
        const int part = by_importance[i];
        if (part == BAR) {
            bar = !full && columns >= SHORTEST_BAR + BAR_FRAME ? SHORTEST_BAR + BAR_FRAME : 0;
            columns -= bar;
            continue;
        }
        const int length = (int)strlen(parts->texts[part]);
        if (length == 0)
            continue;
        /* The count stays whatever happens, and what is less important than a thing without room goes too. */
        full = full || (part != COUNT && length + GAP > columns);
        if (full)
            parts->texts[part][0] = '\0';
        else
            columns -= length + GAP;
    }
    bar += columns;
    return bar < SHORTEST_BAR + BAR_FRAME ? 0 : bar;
}

static void append_bar(char line[PROGRESS_LINE_SIZE], const struct progress_numbers *numbers, int columns)
{
    const int length = columns - BAR_FRAME > LONGEST_BAR ? LONGEST_BAR : columns - BAR_FRAME;

    if (columns == 0 || numbers->total <= 0)
        return;
    const double share = (double)numbers->done / (double)numbers->total;
    const int filled = share >= 1 ? length : (int)(share * length);
    append(line, "[");
    for (int i = 0; i < length; i++)
        append(line, "%c", i < filled ? '=' : i == filled ? '>' : ' ');
    append(line, "] ");
}

void progress_plain_line(char line[PROGRESS_LINE_SIZE], const struct progress_numbers *numbers)
{
    struct parts parts;

    snprintf(line, PROGRESS_LINE_SIZE, "%s ", numbers->label);
    write_parts(&parts, numbers);
    append_parts(line, &parts);
}

void progress_bar_line(char line[PROGRESS_LINE_SIZE], const struct progress_numbers *numbers, int columns)
{
    struct parts parts;

    if (columns >= PROGRESS_LINE_SIZE)
        columns = PROGRESS_LINE_SIZE - 1;
    snprintf(line, PROGRESS_LINE_SIZE, "%s ", numbers->label);
    write_parts(&parts, numbers);
    append_bar(line, numbers, choose(&parts, columns - (int)strlen(line)));
    append_parts(line, &parts);
    if (columns >= 0 && strlen(line) > (size_t)columns)
        line[columns] = '\0'; /* narrower than the label and the count */
}
