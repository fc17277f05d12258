/* Numbers and colours of a mask become labels. */
#include "sample_read.h"

#include "dinoft/error.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 8   /* colours */
#define SHOWN_VALUES  300 /* characters of a list of values */

struct place {
    long long column, row;
};

static struct place place_of(const struct df_image *mask, int64_t i)
{
    return (struct place){i % mask->width, i / mask->width};
}

static uint32_t color_at(const struct df_image *mask, int64_t i)
{
    const uint8_t *rgb = mask->pixels + 3 * i;
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static int value_at(const struct df_image *mask, int64_t i)
{
    uint16_t value;

    if (mask->channels == 1)
        return mask->pixels[i];
    memcpy(&value, mask->pixels + 2 * i, sizeof value);
    return value;
}

void df_mask_mark_values(const struct df_image *mask, bool seen[DF_MASK_VALUE_MOST + 1])
{
    for (int64_t i = 0; i < mask->width * mask->height && mask->channels < 3; i++)
        seen[value_at(mask, i)] = true;
}

/* --- errors --- */

static int largest_value(const struct df_dataset *dataset)
{
    int largest = DF_MASK_VALUE_MOST;

    while (largest > 0 && dataset->rule.labels[largest] >= DF_IGNORE_LABEL)
        largest--;
    return largest;
}

/* Names a value that is not allowed. */
static int wrong_value(const struct df_dataset *dataset, const char *path, const struct df_image *mask,
                       int64_t i)
{
    const bool may_be_void = dataset->rule.labels[DF_IGNORE_LABEL] == DF_IGNORE_LABEL;
    const char *advice = dataset->void_is_assumed && dataset->advice ? dataset->advice : "";
    const struct place at = place_of(mask, i);
    const char *ignored = dataset->ignored_values ? dataset->ignored_values : "255";

    if (dataset->mask_values)
        return df_error_set("%s: label %d at column %lld, row %lld is none of the mask values %.*s%s%.*s%s",
                            path, value_at(mask, i), at.column, at.row, SHOWN_VALUES, dataset->mask_values,
                            may_be_void || dataset->ignored_values ? ", nor " : "", SHOWN_VALUES,
                            may_be_void || dataset->ignored_values ? ignored : "",
                            may_be_void || dataset->ignored_values ? " for \"ignore\"" : "");
    return df_error_set("%s: label %d at column %lld, row %lld; the largest allowed is %d%s%s", path,
                        value_at(mask, i), at.column, at.row, largest_value(dataset),
                        may_be_void ? ", or 255 for \"ignore\"" : "", advice);
}

static bool is_in(const uint32_t *colors, size_t count, uint32_t color)
{
    for (size_t i = 0; i < count; i++) {
        if (colors[i] == color)
            return true;
    }
    return false;
}

/* Colours where numbers are expected: the first few that are there. */
static int unexpected_colors(const struct df_dataset *dataset, const char *path, const struct df_image *mask)
{
    struct df_name_list list = {.most = NAMED_AT_MOST};
    uint32_t colors[NAMED_AT_MOST + 1];

    for (int64_t i = 0; i < mask->width * mask->height && list.count <= NAMED_AT_MOST; i++) {
        const uint32_t color = color_at(mask, i);
        if (is_in(colors, list.count, color))
            continue;
        colors[list.count] = color;
        df_name_list_add(&list, "#%06x", (unsigned)color);
    }
    return df_error_set("the mask %s has colours, not numbers of classes: %s%s", path, list.text,
                        dataset->color_advice ? dataset->color_advice : "");
}

static int64_t distance(uint32_t a, uint32_t b)
{
    int64_t sum = 0;

    for (int shift = 0; shift <= 16; shift += 8) {
        const int64_t difference = (int64_t)(a >> shift & 255) - (int64_t)(b >> shift & 255);
        sum += difference * difference;
    }
    return sum;
}

/* Names a colour that is none of the data set's, and the nearest that is. */
static int wrong_color(const struct df_dataset *dataset, const char *path, const struct df_image *mask,
                       int64_t i)
{
    const struct df_mask_rule *rule = &dataset->rule;
    const struct df_mask_color *near = &rule->colors[0];
    const struct place at = place_of(mask, i);
    const uint32_t color = color_at(mask, i);
    int64_t root = 0;

    for (size_t k = 1; k < rule->values.n_items; k++) {
        if (distance(rule->colors[k].rgb, color) < distance(near->rgb, color))
            near = &rule->colors[k];
    }
    while ((root + 1) * (root + 1) <= distance(near->rgb, color))
        root++;
    return df_error_set(
        "%s: the colour #%06x at column %lld, row %lld is none of the palette's; the nearest is "
        "#%06x of %s, %lld away",
        path, (unsigned)color, at.column, at.row, (unsigned)near->rgb,
        near->label == DF_IGNORE_LABEL ? "\"ignore\"" : dataset->class_names[near->label], (long long)root);
}

/* --- labels --- */

/* The usual masks: values are counted, and changed where a label is another number. */
static int map_bytes(const struct df_dataset *dataset, const char *path, struct df_image *mask,
                     int64_t *labels)
{
    const size_t count = (size_t)(mask->width * mask->height);
    const uint16_t *label_of = dataset->rule.labels;
    int64_t values[DF_LABEL_VALUES];
    bool changes = false;

    df_count_bytes(mask->pixels, count, values);
    for (int value = 0; value < DF_LABEL_VALUES; value++) {
        if (values[value] == 0)
            continue;
        if (label_of[value] == DF_NO_LABEL) {
            int64_t i = 0;
            while (label_of[mask->pixels[i]] != DF_NO_LABEL)
                i++;
            return wrong_value(dataset, path, mask, i);
        }
        labels[label_of[value]] += values[value];
        changes = changes || label_of[value] != value;
    }
    for (size_t i = 0; changes && i < count; i++)
        mask->pixels[i] = (uint8_t)label_of[mask->pixels[i]];
    return 0;
}

/* Labels are written over the values, which are longer. */
static int map_words(const struct df_dataset *dataset, const char *path, struct df_image *mask,
                     int64_t *labels)
{
    const int64_t count = mask->width * mask->height;
    uint16_t value;

    for (int64_t i = 0; i < count; i++) {
        memcpy(&value, mask->pixels + 2 * i, sizeof value);
        const int label = dataset->rule.labels[value];
        if (label == DF_NO_LABEL)
            return wrong_value(dataset, path, mask, i);
        mask->pixels[i] = (uint8_t)label;
        labels[label]++;
    }
    return 0;
}

/* How many of the next pixels have the colour of the first: as long as each byte is that of the pixel behind
 * it, which is compared eight at a time. */
static int64_t run_length(const uint8_t *rgb, int64_t most)
{
    const int64_t bytes = 3 * (most - 1);
    int64_t equal = 0;

    for (uint64_t here, behind; equal + 8 <= bytes; equal += 8) {
        memcpy(&here, rgb + equal, sizeof here);
        memcpy(&behind, rgb + equal + 3, sizeof behind);
        if (here != behind)
            break;
    }
    while (equal < bytes && rgb[equal] == rgb[equal + 3])
        equal++;
    return equal / 3 + 1;
}

/* As map_words(), for all pixels of one colour that follow each other. */
static int map_colors(const struct df_dataset *dataset, const char *path, struct df_image *mask,
                      int64_t *labels)
{
    const int64_t count = mask->width * mask->height;
    int64_t run;

    for (int64_t i = 0; i < count; i += run) {
        const int label = df_mask_rule_color(&dataset->rule, color_at(mask, i));
        if (label == DF_NO_LABEL)
            return wrong_color(dataset, path, mask, i);
        run = run_length(mask->pixels + 3 * i, count - i);
        memset(mask->pixels + i, label, (size_t)run);
        labels[label] += run;
    }
    return 0;
}

static void become_labels(struct df_image *mask)
{
    uint8_t *smaller = realloc(mask->pixels, (size_t)(mask->width * mask->height));

    if (smaller)
        mask->pixels = smaller;
    mask->channels = 1;
}

int df_mask_to_labels(const struct df_dataset *dataset, const char *path, struct df_image *mask,
                      int64_t *labels)
{
    if (dataset->rule.values.source == DF_SOURCE_COLORS) {
        DF_TRY(map_colors(dataset, path, mask, labels));
    } else if (mask->channels == 1) {
        return map_bytes(dataset, path, mask, labels);
    } else if (mask->channels == 2) {
        DF_TRY(map_words(dataset, path, mask, labels));
    } else {
        return unexpected_colors(dataset, path, mask);
    }
    become_labels(mask);
    return 0;
}
