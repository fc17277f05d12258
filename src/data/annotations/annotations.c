#include "annotations.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST     3
#define LABEL_BYTES_MAX   200
#define LEFT_OUT_TEXT_MAX 300

struct df_annotations *df_annotations_new(const char *path)
{
    struct df_annotations *annotations = calloc(1, sizeof *annotations);
    char *copy = df_text_copy(path);

    if (!annotations || !copy) {
        df_error_memory("annotations", sizeof *annotations);
        free(annotations);
        free(copy);
        return NULL;
    }
    annotations->path = copy;
    annotations->left_out_list.most = NAMED_AT_MOST;
    return annotations;
}

static struct df_label *label_of(const struct df_annotations *annotations, size_t label)
{
    return (struct df_label *)annotations->labels.items + label;
}

static struct df_annotation *annotation_of(const struct df_annotations *annotations, size_t index)
{
    return (struct df_annotation *)annotations->annotations.items + index;
}

struct df_annotated_image *df_annotations_image(const struct df_annotations *annotations, int64_t image)
{
    return (struct df_annotated_image *)annotations->images.items + image;
}

void df_annotations_free(struct df_annotations *annotations)
{
    if (!annotations)
        return;
    for (size_t i = 0; i < annotations->images.count; i++) {
        struct df_annotated_image *image = df_annotations_image(annotations, (int64_t)i);
        free(image->name);
        free(image->file);
        free(image->segments);
    }
    for (size_t i = 0; i < annotations->labels.count; i++) {
        free(label_of(annotations, i)->name);
        free(label_of(annotations, i)->file);
    }
    for (int i = 0; annotations->class_names && i < annotations->n_classes; i++)
        free(annotations->class_names[i]);
    free(annotations->class_names);
    free(annotations->by_name);
    free(annotations->images.items);
    free(annotations->annotations.items);
    free(annotations->labels.items);
    free(annotations->numbers.items);
    free(annotations->runs.items);
    free(annotations->path);
    free(annotations->folder);
    free(annotations);
}

/* Room behind the items that are there. */
static void *room(struct df_pool *pool, size_t more, size_t size)
{
    size_t needed, bytes;

    if (!df_size_add(pool->count, more, &needed) || !df_size_mul(needed, 2 * size, &bytes)) {
        df_error_memory("annotations", 0);
        return NULL;
    }
    if (!pool->items || needed > pool->capacity) {
        const size_t capacity = needed > 2 * pool->capacity ? needed + 8 : 2 * pool->capacity;
        void *larger = realloc(pool->items, capacity * size);
        if (!larger) {
            df_error_memory("annotations", capacity * size);
            return NULL;
        }
        pool->items = larger;
        pool->capacity = capacity;
    }
    return (char *)pool->items + pool->count * size;
}

int64_t df_annotations_add_image(struct df_annotations *annotations, const char *name, int64_t width,
                                 int64_t height)
{
    if (width != 0 || height != 0)
        DF_TRY(df_image_check_size(width, height));
    struct df_annotated_image *image = room(&annotations->images, 1, sizeof *image);
    char *copy = image ? df_text_copy(name) : NULL;
    if (!copy)
        return -1;
    *image = (struct df_annotated_image){.name = copy, .width = width, .height = height};
    return (int64_t)annotations->images.count++;
}

int df_annotations_label(struct df_annotations *annotations, const char *name, const char *file)
{
    const size_t count = annotations->labels.count;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(label_of(annotations, i)->name, name) == 0)
            return (int)i;
    }
    if (count == DF_LABEL_NAMES_MAX)
        return df_error_set("there are more than %d labels", DF_LABEL_NAMES_MAX);
    if (!*name || strlen(name) > LABEL_BYTES_MAX || !df_text_is_utf8(name, strlen(name)))
        return df_error_set("a label has %zu bytes%s; one to %d bytes of UTF-8 are expected", strlen(name),
                            df_text_is_utf8(name, strlen(name)) ? "" : " that are not UTF-8",
                            LABEL_BYTES_MAX);
    struct df_label *label = room(&annotations->labels, 1, sizeof *label);
    if (!label)
        return -1;
    *label = (struct df_label){.name = df_text_copy(name), .file = df_text_copy(file)};
    if (!label->name || !label->file) {
        free(label->name);
        free(label->file);
        return -1;
    }
    df_text_replace_controls(label->name);
    return (int)annotations->labels.count++;
}

double *df_annotations_numbers(struct df_annotations *annotations, size_t more)
{
    return room(&annotations->numbers, more, sizeof(double));
}

uint32_t *df_annotations_runs(struct df_annotations *annotations, size_t more)
{
    return room(&annotations->runs, more, sizeof(uint32_t));
}

/* Behind the image's others. */
static struct df_annotation *add(struct df_annotations *annotations, int64_t number)
{
    struct df_annotated_image *image = df_annotations_image(annotations, number);
    struct df_annotation *added = room(&annotations->annotations, 1, sizeof *added);

    if (!added)
        return NULL;
    *added = (struct df_annotation){0};
    const size_t place = ++annotations->annotations.count; /* index + 1 */
    if (image->last > 0)
        annotation_of(annotations, image->last - 1)->next = place;
    else
        image->first = place;
    image->last = place;
    return added;
}

int df_annotations_add_shape(struct df_annotations *annotations, int64_t image, enum df_shape_kind kind,
                             int label, size_t numbers, size_t runs)
{
    struct df_annotation *added = add(annotations, image);

    if (!added)
        return -1;
    added->label = (uint16_t)label;
    added->shape = (struct df_shape){.kind = kind,
                                     .first_number = annotations->numbers.count,
                                     .n_numbers = numbers,
                                     .first_run = annotations->runs.count,
                                     .n_runs = runs};
    annotations->numbers.count += numbers;
    annotations->runs.count += runs;
    return 0;
}

int df_annotations_add_segment(struct df_annotations *annotations, int64_t image, uint32_t segment, int label)
{
    struct df_annotation *added = add(annotations, image);

    if (!added)
        return -1;
    added->segment = segment;
    added->label = (uint16_t)label;
    return 0;
}

void df_annotations_set_depth(struct df_annotations *annotations, int32_t depth)
{
    annotation_of(annotations, annotations->annotations.count - 1)->depth = depth;
}

void df_annotations_leave_out(struct df_annotations *annotations, const char *format, ...)
{
    char text[LEFT_OUT_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    df_text_replace_controls(text);
    annotations->left_out++;
    df_name_list_add(&annotations->left_out_list, "%s", text);
}

int df_annotations_check_numbers(const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(numbers[i]) <= DF_SHAPE_COORDINATE_MAX))
            return df_error_set("a coordinate is %g; numbers from %d to %d are expected", numbers[i],
                                -DF_SHAPE_COORDINATE_MAX, DF_SHAPE_COORDINATE_MAX);
    }
    return 0;
}

void df_annotations_report(const struct df_annotations *annotations)
{
    if (annotations->crowds > 0)
        df_log("%s: %zu objects of \"iscrowd\" are left out", annotations->path, annotations->crowds);
    if (annotations->left_out > 0)
        df_log("warning: %s: %zu annotation%s cover%s nothing and %s left out: %s", annotations->path,
               annotations->left_out, annotations->left_out == 1 ? "" : "s",
               annotations->left_out == 1 ? "s" : "", annotations->left_out == 1 ? "is" : "are",
               annotations->left_out_list.text);
}

void df_annotations_digest(const struct df_annotations *annotations, int64_t number, struct df_digest *digest)
{
    const struct df_annotated_image *image = df_annotations_image(annotations, number);
    const double *numbers = annotations->numbers.items;
    const uint32_t *runs = annotations->runs.items;

    df_digest_add_number(digest, (uint64_t)image->width);
    df_digest_add_number(digest, (uint64_t)image->height);
    df_digest_add_number(digest, annotations->uncovered);
    for (size_t at = image->first; at > 0; at = annotation_of(annotations, at - 1)->next) {
        const struct df_annotation *annotation = annotation_of(annotations, at - 1);
        const struct df_shape *shape = &annotation->shape;
        df_digest_add_number(digest, shape->kind);
        df_digest_add_number(digest, shape->label);
        df_digest_add_number(digest, annotation->segment);
        df_digest_add_number(digest, shape->n_numbers);
        df_digest_add_number(digest, shape->n_runs);
        if (shape->n_numbers > 0)
            df_digest_add(digest, numbers + shape->first_number, shape->n_numbers * sizeof *numbers);
        if (shape->n_runs > 0)
            df_digest_add(digest, runs + shape->first_run, shape->n_runs * sizeof *runs);
    }
}
