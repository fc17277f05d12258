/* What a data set's classes are called and drawn as, and what they are in the masks' files. */
#include "class_choice.h"

#include "dinoft/error.h"
#include "dinoft/palette.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

static int rename_class(struct df_class *class, const char *name, const uint8_t *rgb)
{
    char *copy = df_text_copy(name);

    if (!copy)
        return -1;
    free(class->name);
    class->name = copy;
    if (rgb) {
        class->colored = true;
        memcpy(class->rgb, rgb, 3);
    }
    return 0;
}

static int rename_classes(struct df_class_choice *choice)
{
    struct df_class_table *table = &choice->table;
    const struct df_class_table *names = &choice->names;

    if (names->count == 0)
        return 0;
    if (names->count != table->count)
        return df_error_set("%s has %d names for %d classes", choice->options->class_names, names->count,
                            table->count);
    for (int i = 0; i < names->count; i++)
        DF_TRY(rename_class(&table->classes[i], names->classes[i].name,
                            names->classes[i].colored ? names->classes[i].rgb : NULL));
    choice->named = true;
    return 0;
}

/* Classes that nobody has named here. */
static int take_known(struct df_class_choice *choice)
{
    const struct df_known_classes *known = &choice->options->known;

    if (choice->named || known->count != choice->table.count)
        return 0;
    for (int i = 0; i < known->count; i++)
        DF_TRY(rename_class(&choice->table.classes[i], known->names[i],
                            known->colors ? known->colors[i] : NULL));
    return 0;
}

static int choose(struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;

    DF_TRY(df_class_choice_take(choice));
    if (!choice->built_in)
        DF_TRY(rename_classes(choice));
    DF_TRY(df_class_table_merge(&choice->table, options->merge_classes, options->ignore_classes));
    return take_known(choice);
}

static int hand_over_names(struct df_dataset *dataset, struct df_class_table *table)
{
    dataset->class_names = calloc((size_t)table->count, sizeof *dataset->class_names);
    if (!dataset->class_names)
        return df_error_memory("class names", (unsigned long long)table->count * sizeof(char *));
    dataset->n_classes = table->count;
    for (int i = 0; i < table->count; i++) {
        dataset->class_names[i] = table->classes[i].name;
        table->classes[i].name = NULL;
    }
    return 0;
}

/* Where somebody has said some; the others keep the usual ones. */
static int hand_over_colors(struct df_dataset *dataset, const struct df_class_table *table)
{
    struct df_palette palette;
    bool colored = false;

    for (int i = 0; i < table->count; i++)
        colored = colored || table->classes[i].colored;
    if (!colored)
        return 0;
    dataset->class_colors = malloc((size_t)table->count * sizeof *dataset->class_colors);
    if (!dataset->class_colors)
        return df_error_memory("the colours of classes", (unsigned long long)table->count * 3);
    df_palette_fill(&palette, dataset->kind, NULL);
    for (int i = 0; i < table->count; i++)
        memcpy(dataset->class_colors[i], table->classes[i].colored ? table->classes[i].rgb : palette.rgb[i],
               3);
    return 0;
}

static bool is_usual(const struct df_mask_values *values, const char *ignored)
{
    if (values->source != DF_SOURCE_VALUES)
        return strcmp(ignored, "none") == 0;
    return strcmp(ignored, "255") == 0 ||
           (strcmp(ignored, "none") == 0 && df_mask_values_has(values, DF_IGNORE_LABEL));
}

/* What a checkpoint records, so that nobody has to say it again. */
static int note_values(struct df_dataset *dataset, const struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    const struct df_mask_values *values = &choice->table.values;

    if (!options->mask_values && !options->ignore_value && !options->merge_classes &&
        !options->ignore_classes && values->source == DF_SOURCE_VALUES)
        return 0;
    dataset->mask_values = df_mask_values_text(values, false);
    dataset->ignored_values = df_mask_values_text(values, true);
    if (!dataset->mask_values || !dataset->ignored_values)
        return -1;
    if (is_usual(values, dataset->ignored_values)) {
        free(dataset->ignored_values);
        dataset->ignored_values = NULL;
    }
    return 0;
}

static int hand_over(struct df_dataset *dataset, struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    const bool changed = options->merge_classes || options->ignore_classes;

    dataset->void_is_assumed = options->kind == DF_DATASET_FOLDER && !options->mask_values &&
                               !options->ignore_value && !choice->annotations &&
                               choice->table.values.source == DF_SOURCE_VALUES;
    DF_TRY(hand_over_names(dataset, &choice->table));
    if (!choice->built_in || changed)
        DF_TRY(hand_over_colors(dataset, &choice->table));
    DF_TRY(note_values(dataset, choice));
    return df_mask_rule_init(&dataset->rule, &choice->table.values);
}

int df_dataset_set_classes(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    struct df_class_choice choice = {.options = options, .annotations = dataset->annotations};
    int status = -1;

    if (choose(&choice) == 0)
        status = hand_over(dataset, &choice);
    df_class_table_free(&choice.table);
    df_class_table_free(&choice.names);
    df_mask_values_free(&choice.folders);
    return status;
}
