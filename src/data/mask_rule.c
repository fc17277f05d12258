#include "dinoft/mask_rule.h"

#include "dinoft/error.h"

#include <stdlib.h>

#define SMALL_VALUES 256 /* of 8-bit masks */

static int fill_labels(struct df_mask_rule *rule)
{
    rule->labels = malloc((DF_MASK_VALUE_MOST + 1) * sizeof *rule->labels);
    if (!rule->labels)
        return df_error_memory("the labels of values", (DF_MASK_VALUE_MOST + 1) * sizeof *rule->labels);
    for (int value = 0; value <= DF_MASK_VALUE_MOST; value++)
        rule->labels[value] = DF_NO_LABEL;
    for (size_t i = 0; i < rule->values.n_items; i++)
        rule->labels[rule->values.items[i].value] = (uint16_t)rule->values.items[i].label;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct df_mask_color *first = a, *second = b;
    return (first->rgb > second->rgb) - (first->rgb < second->rgb);
}

static int fill_colors(struct df_mask_rule *rule)
{
    const size_t count = rule->values.n_items;

    rule->colors = malloc((count + 1) * sizeof *rule->colors);
    if (!rule->colors)
        return df_error_memory("the labels of colours", count * sizeof *rule->colors);
    for (size_t i = 0; i < count; i++)
        rule->colors[i] = (struct df_mask_color){rule->values.items[i].value, rule->values.items[i].label};
    qsort(rule->colors, count, sizeof *rule->colors, compare);
    return 0;
}

int df_mask_rule_init(struct df_mask_rule *rule, struct df_mask_values *values)
{
    *rule = (struct df_mask_rule){.values = *values};
    *values = (struct df_mask_values){0};
    switch (rule->values.source) {
    case DF_SOURCE_VALUES:
        return fill_labels(rule);
    case DF_SOURCE_COLORS:
        return fill_colors(rule);
    case DF_SOURCE_FOLDERS:
        break;
    }
    return 0;
}

void df_mask_rule_free(struct df_mask_rule *rule)
{
    df_mask_values_free(&rule->values);
    free(rule->labels);
    free(rule->colors);
    *rule = (struct df_mask_rule){0};
}

int df_mask_rule_color(const struct df_mask_rule *rule, uint32_t rgb)
{
    size_t first = 0, end = rule->values.n_items;

    while (first < end) {
        const size_t middle = first + (end - first) / 2;
        if (rule->colors[middle].rgb == rgb)
            return rule->colors[middle].label;
        if (rule->colors[middle].rgb < rgb)
            first = middle + 1;
        else
            end = middle;
    }
    return DF_NO_LABEL;
}

/* A rule of 8 bits has the digest of earlier versions. */
static void digest_values(const struct df_mask_rule *rule, struct df_digest *digest)
{
    for (int value = 0; value <= DF_MASK_VALUE_MOST; value++) {
        if (value < SMALL_VALUES) {
            df_digest_add_number(digest, rule->labels[value]);
        } else if (rule->labels[value] != DF_NO_LABEL) {
            df_digest_add_number(digest, (uint64_t)value);
            df_digest_add_number(digest, rule->labels[value]);
        }
    }
}

void df_mask_rule_digest(const struct df_mask_rule *rule, struct df_digest *digest)
{
    if (rule->values.source == DF_SOURCE_VALUES) {
        digest_values(rule, digest);
        return;
    }
    for (size_t i = 0; i < rule->values.n_items; i++) {
        const struct df_mask_value *item = &rule->values.items[i];
        df_digest_add_text(digest, item->folder ? item->folder : "");
        df_digest_add_number(digest, rule->colors ? rule->colors[i].rgb : 0);
        df_digest_add_number(digest, (uint64_t)(rule->colors ? rule->colors[i].label : item->label));
    }
}
