#include "readers.h"

#include "../lines.h"
#include "yolo_names.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NUMBERS_MAX   ((size_t)2 * DF_POLYGON_POINTS_MAX)
#define BOX_NUMBERS   4
#define LEAST_NUMBERS 6
#define BEYOND        0.1 /* as a share of a side: what rounding and a little carelessness put outside */

struct reading {
    struct df_annotations *annotations;
    const struct df_annotation_source *source;
    int64_t image;
    size_t n_labels;
    size_t without; /* images without a file */
};

/* The next number of a line, which *text is moved behind. 1: there it is; 0: no more; -1 with the error set.
 */
static int next_number(const char **text, const char *end, double *number)
{
    char word[64];
    size_t length = 0;
    char *rest;

    while (*text < end && strchr(" \t\r\v\f", **text) && **text != '\0')
        ++*text;
    if (*text == end)
        return 0;
    while (*text < end && !(strchr(" \t\r\v\f", **text) && **text != '\0')) {
        if (length == sizeof word - 1)
            return df_error_set("a number has more than %zu characters", sizeof word - 1);
        word[length++] = *(*text)++;
    }
    word[length] = '\0';
    *number = strtod(word, &rest);
    if (rest != word + length || !isfinite(*number))
        return df_error_set("'%.30s' is no number", word);
    return 1;
}

static int read_label(const struct reading *reading, const char **text, const char *end, int *label)
{
    double number;

    const int found = next_number(text, end, &number);
    if (found != 1)
        return found == 0 ? df_error_set("there is no number of a class") : -1;
    if (!(number >= 0) || number >= (double)reading->n_labels || number != floor(number))
        return df_error_set("class %g, 0 to %zu are named", number, reading->n_labels - 1);
    *label = (int)number;
    return 0;
}

static int check_count(size_t count)
{
    if (count == BOX_NUMBERS)
        return df_error_set("a box, not a polygon: the class and %d numbers", BOX_NUMBERS);
    if (count % 2 != 0 || count < LEAST_NUMBERS)
        return df_error_set("%zu numbers behind the class, 3 or more pairs are expected", count);
    return 0;
}

static int add_polygon(struct reading *reading, const char *text, const char *end)
{
    const size_t most = (size_t)(end - text) / 2 + 1;
    size_t count = 0;
    int label = 0, found;

    DF_TRY(read_label(reading, &text, end, &label));
    double *numbers = df_annotations_numbers(reading->annotations, most < NUMBERS_MAX ? most : NUMBERS_MAX);
    double number;
    if (!numbers)
        return -1;
    while ((found = next_number(&text, end, &number)) == 1) {
        if (count == NUMBERS_MAX)
            return df_error_set("a polygon of more than %d points", DF_POLYGON_POINTS_MAX);
        if (!(number >= -BEYOND && number <= 1 + BEYOND))
            return df_error_set("the coordinate %g is no share of width or height, 0 to 1", number);
        numbers[count++] = number;
    }
    DF_TRY(found);
    DF_TRY(check_count(count));
    return df_annotations_add_shape(reading->annotations, reading->image, DF_SHAPE_SHARES, label, count, 0);
}

static int add_line(void *context, int64_t line, const char *text, size_t length)
{
    if (add_polygon(context, text, text + length) == 0)
        return 0;
    return df_error_context("line %lld", (long long)line);
}

/* An image without a file has no objects. */
static int read_image(void *context, const char *name, const char *stem_path)
{
    struct reading *reading = context;
    struct stat status;
    char *path = df_text_format("%s.txt", stem_path);
    const bool is_missing = path && df_path_stat(path, &status) != 0 && errno == ENOENT;

    if (is_missing) {
        free(path);
        path = df_text_copy(reading->source->names);
    }
    reading->image = path ? df_annotations_add_image(reading->annotations, name, 0, 0) : -1;
    if (reading->image < 0) {
        free(path);
        return -1;
    }
    df_annotations_image(reading->annotations, reading->image)->file = path;
    reading->without += is_missing;
    if (is_missing)
        return 0;
    return df_each_line(path, add_line, reading) == 0 ? 0 : df_error_context("%s", path);
}

int df_yolo_read(struct df_annotations *annotations, const struct df_annotation_source *source)
{
    struct reading reading = {.annotations = annotations, .source = source};

    DF_TRY(df_yolo_names_read(annotations, source->names));
    reading.n_labels = annotations->labels.count;
    DF_TRY(df_each_picture(source, read_image, &reading));
    if (reading.without == annotations->images.count)
        return df_error_set("none of the %zu images in %s has a file in %s", reading.without, source->images,
                            source->path);
    if (reading.without > 0)
        df_log("%zu of the %zu images in %s have no file in %s: they are background", reading.without,
               annotations->images.count, source->images, source->path);
    return df_report_lonely(annotations, source, ".txt");
}
