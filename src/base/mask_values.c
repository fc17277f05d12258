#include "dinoft/mask_values.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 5
#define ITEMS_MAX  (DF_MASK_VALUE_MOST + 1)
#define RUN_LEAST  5 /* numbers that are written as a range */

/* Cityscapes' labelIds: those that are evaluated, and the others. */
static const char *const cityscapes = "cityscapes";
static const char *const cityscapes_classes = "7,8,11..13,17,19..28,31..33";
static const char *const cityscapes_ignored = "0..6,9,10,14..16,18,29,30,255";

struct reading {
    const char *text;
    struct df_mask_values *values;
    bool ignored;
};

const char *df_mask_values_ignored_with(const char *text)
{
    return text && strcmp(text, cityscapes) == 0 ? cityscapes_ignored : NULL;
}

void df_mask_values_free(struct df_mask_values *values)
{
    for (size_t i = 0; i < values->n_items; i++)
        free(values->items[i].folder);
    free(values->items);
    *values = (struct df_mask_values){0};
}

/* The array grows when its length reaches a power of two. */
int df_mask_values_add(struct df_mask_values *values, uint32_t value, const char *folder, int label)
{
    const size_t count = values->n_items, more = count ? 2 * count : 1;
    char *copy = folder ? df_text_copy(folder) : NULL;

    if (folder && !copy)
        return -1;
    if ((count & (count - 1)) == 0) {
        struct df_mask_value *items = realloc(values->items, more * sizeof *items);
        if (!items) {
            free(copy);
            return df_error_memory("the values of masks", more * sizeof *items);
        }
        values->items = items;
    }
    values->items[values->n_items++] = (struct df_mask_value){value, copy, label};
    return 0;
}

bool df_mask_values_has(const struct df_mask_values *values, uint32_t value)
{
    for (size_t i = 0; i < values->n_items; i++) {
        if (values->items[i].value == value)
            return true;
    }
    return false;
}

/* --- reading --- */

static int unexpected(const struct reading *reading)
{
    return df_error_set("expected numbers from 0 to %d with commas between them, such as 0,255 or 1..19, "
                        "colours #RRGGBB, or folders NAME/, found '%.100s'",
                        DF_MASK_VALUE_MOST, reading->text);
}

/* The number that the text begins with; NULL: it begins with none. */
static const char *read_number(const char *text, uint32_t *number)
{
    const size_t length = strspn(text, "0123456789");

    if (length == 0 || length > DIGITS_MAX)
        return NULL;
    *number = (uint32_t)strtoul(text, NULL, 10);
    return *number <= DF_MASK_VALUE_MOST ? text + length : NULL;
}

static int add(struct reading *reading, enum df_mask_source source, uint32_t value, const char *folder,
               int label)
{
    struct df_mask_values *values = reading->values;

    if (values->n_items > 0 && values->source != source)
        return df_error_set("numbers, colours and folders are not of one list: '%.100s'", reading->text);
    if (values->n_items == ITEMS_MAX)
        return df_error_set("more than %d numbers", ITEMS_MAX);
    values->source = source;
    return df_mask_values_add(values, value, folder, label);
}

/* The next class begins. -1: that is one too many. */
static int next_class(struct reading *reading, int *label)
{
    *label = DF_IGNORE_LABEL;
    if (reading->ignored)
        return 0;
    if (reading->values->count == DF_MAX_CLASSES)
        return df_error_set("more than %d classes", DF_MAX_CLASSES);
    *label = reading->values->count++;
    return 0;
}

/* A number or a range. alone: each number of a range is a class; else all are `label`. */
static int read_numbers(struct reading *reading, const char *text, size_t length, bool alone, int label)
{
    uint32_t first, last;
    const char *rest = read_number(text, &first);

    last = first;
    if (rest && rest[0] == '.' && rest[1] == '.')
        rest = read_number(rest + 2, &last);
    if (rest != text + length || last < first)
        return unexpected(reading);
    for (uint32_t value = first; value <= last; value++) {
        if (alone && value > first)
            DF_TRY(next_class(reading, &label));
        DF_TRY(add(reading, DF_SOURCE_VALUES, value, NULL, label));
    }
    return 0;
}

static int read_color(struct reading *reading, const char *text, size_t length, int label)
{
    for (size_t i = 1; i < length; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return unexpected(reading);
    }
    if (length != 7)
        return unexpected(reading);
    return add(reading, DF_SOURCE_COLORS, (uint32_t)strtoul(text + 1, NULL, 16), NULL, label);
}

static int read_folder(struct reading *reading, const char *text, size_t length, int label)
{
    char *name = df_text_format("%.*s", (int)length - 1, text);
    int status = -1;

    if (name)
        status = *name && !strchr(name, '/') ? add(reading, DF_SOURCE_FOLDERS, 0, name, label)
                                             : unexpected(reading);
    free(name);
    return status;
}

/* What is between commas. */
static int read_class(struct reading *reading, const char *text, size_t length)
{
    const bool alone = !memchr(text, '+', length);
    const char *end = text + length;
    int label;

    DF_TRY(next_class(reading, &label));
    for (;;) {
        const size_t part = strcspn(text, ",+");
        if (part > 0 && text[part - 1] == '/')
            DF_TRY(read_folder(reading, text, part, label));
        else if (*text == '#')
            DF_TRY(read_color(reading, text, part, label));
        else
            DF_TRY(read_numbers(reading, text, part, alone, label));
        text += part;
        if (text == end)
            return 0;
        text++;
    }
}

static int compare_items(const void *a, const void *b)
{
    const struct df_mask_value *first = a, *second = b;

    if (first->folder && second->folder)
        return strcmp(first->folder, second->folder);
    return (first->value > second->value) - (first->value < second->value);
}

static int listed_twice(const struct reading *reading, const struct df_mask_value *item)
{
    const char *how = reading->ignored ? "a class, or listed twice" : "listed twice";

    if (item->folder)
        return df_error_set("%s is %s: '%.100s'", item->folder, how, reading->text);
    if (reading->values->source == DF_SOURCE_COLORS)
        return df_error_set("#%06x is %s: '%.100s'", (unsigned)item->value, how, reading->text);
    return df_error_set("%u is %s: '%.100s'", (unsigned)item->value, how, reading->text);
}

static int check_single(const struct reading *reading)
{
    const size_t count = reading->values->n_items;
    struct df_mask_value *sorted = malloc((count + 1) * sizeof *sorted);
    int status = 0;

    if (!sorted)
        return df_error_memory("the values of masks", count * sizeof *sorted);
    if (count > 0)
        memcpy(sorted, reading->values->items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_items);
    for (size_t i = 1; i < count && status == 0; i++) {
        if (compare_items(&sorted[i - 1], &sorted[i]) == 0)
            status = listed_twice(reading, &sorted[i]);
    }
    free(sorted);
    return status;
}

static int read_list(struct reading *reading, const char *text)
{
    for (;;) {
        const size_t length = strcspn(text, ",");
        DF_TRY(read_class(reading, text, length));
        text += length;
        if (*text == '\0')
            return check_single(reading);
        text++;
    }
}

int df_mask_values_parse(const char *text, struct df_mask_values *values)
{
    struct reading reading = {text, values, false};

    *values = (struct df_mask_values){0};
    return read_list(&reading, strcmp(text, cityscapes) == 0 ? cityscapes_classes : text);
}

int df_mask_values_ignore(struct df_mask_values *values, const char *text)
{
    struct reading reading = {text, values, true};

    return strcmp(text, "none") == 0 ? 0 : read_list(&reading, text);
}

/* --- writing --- */

static void write_item(FILE *stream, enum df_mask_source source, const struct df_mask_value *item)
{
    if (source == DF_SOURCE_FOLDERS)
        fprintf(stream, "%s/", item->folder);
    else
        fprintf(stream, source == DF_SOURCE_COLORS ? "#%06x" : "%u", (unsigned)item->value);
}

/* How many of the items from `at` on count up, by one number each; in a list of classes each a class of its
 * own. */
static size_t run_at(const struct df_mask_value *items, size_t count, size_t at, bool classes)
{
    size_t length = 1;

    while (at + length < count && items[at + length].value == items[at].value + length &&
           items[at + length].label == items[at].label + (classes ? (int)length : 0))
        length++;
    return length;
}

/* Whether an item is its class's only one. */
static bool is_alone(const struct df_mask_value *items, size_t count, size_t at)
{
    return (at == 0 || items[at - 1].label != items[at].label) &&
           (at + 1 == count || items[at + 1].label != items[at].label);
}

/* Items in the order of their labels. */
static void write_list(FILE *stream, enum df_mask_source source, const struct df_mask_value *items,
                       size_t count, bool ignored)
{
    for (size_t i = 0; i < count;) {
        const bool same = i > 0 && items[i].label == items[i - 1].label && !ignored;
        const bool classes = !ignored && is_alone(items, count, i);
        size_t run =
            source == DF_SOURCE_VALUES && (ignored || classes || same) ? run_at(items, count, i, classes) : 1;
        if (classes && i + run < count && items[i + run].label == items[i + run - 1].label)
            run--; /* the last one begins a class of several */
        if (i > 0)
            fputc(same ? '+' : ',', stream);
        write_item(stream, source, &items[i]);
        if (run >= RUN_LEAST)
            fprintf(stream, "..%u", (unsigned)items[i + run - 1].value);
        i += run >= RUN_LEAST ? run : 1;
    }
}

static int compare_labels(const void *a, const void *b)
{
    const struct df_mask_value *const *first = a, *const *second = b;
    const int order = (*first)->label - (*second)->label;

    return order != 0 ? order : (*first > *second) - (*first < *second);
}

/* Those of the classes, or what is ignored: in the order of labels, and else as they stand. */
static size_t choose(const struct df_mask_values *values, bool ignored, struct df_mask_value **pointers,
                     struct df_mask_value *chosen)
{
    size_t count = 0;

    for (size_t i = 0; i < values->n_items; i++) {
        if ((values->items[i].label == DF_IGNORE_LABEL) == ignored)
            pointers[count++] = &values->items[i];
    }
    qsort(pointers, count, sizeof(struct df_mask_value *), compare_labels);
    for (size_t i = 0; i < count; i++)
        chosen[i] = *pointers[i];
    return count;
}

char *df_mask_values_text(const struct df_mask_values *values, bool ignored)
{
    struct df_mask_value *chosen = malloc((values->n_items + 1) * sizeof *chosen);
    struct df_mask_value **pointers = malloc((values->n_items + 1) * sizeof(struct df_mask_value *));
    char *text = NULL;
    size_t size = 0;
    FILE *stream = chosen && pointers ? open_memstream(&text, &size) : NULL;

    if (stream) {
        const size_t count = choose(values, ignored, pointers, chosen);
        write_list(stream, values->source, chosen, count, ignored);
        if (count == 0 && ignored)
            fputs("none", stream);
        if (fclose(stream) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(pointers);
    free(chosen);
    if (!text)
        df_error_memory("the values of masks", size);
    return text;
}
