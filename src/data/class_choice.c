/* The classes of the masks: a data set's own, or what flags, folders or annotations tell. */
#include "class_choice.h"

#include "annotations/annotations.h"
#include "class_folders.h"

#include "dinoft/error.h"
#include "dinoft/palette.h"

#include <stdio.h>
#include <string.h>

static int check_count(const struct df_class_choice *choice, const char *what, const char *which)
{
    const int typed = choice->options->n_classes;

    if (typed == 0 || typed == choice->table.count)
        return 0;
    return df_error_set("%s %.200s are %d, for %d classes", what, which, choice->table.count, typed);
}

/* Classes that nobody has named yet. */
static int add_unnamed(struct df_class_table *table, int count)
{
    char name[32];

    while (table->count < count) {
        snprintf(name, sizeof name, "class_%d", table->count);
        DF_TRY(df_class_table_add(table, name, strlen(name), NULL));
    }
    return 0;
}

/* Classes of several folders are called as the first. */
static int name_by_folders(struct df_class_table *table)
{
    const struct df_mask_values *values = &table->values;

    for (size_t i = 0; i < values->n_items; i++) {
        const char *folder = values->items[i].folder;
        if (values->items[i].label == table->count)
            DF_TRY(df_class_table_add(table, folder, strlen(folder), NULL));
    }
    return 0;
}

/* VOC's masks have class numbers; ADE20K's begin with 0 for "other". */
static int take_built_in(struct df_class_choice *choice, int count)
{
    const struct df_dataset_options *options = choice->options;
    const bool ade20k = options->kind == DF_DATASET_ADE20K;
    struct df_class_table *table = &choice->table;
    struct df_palette palette;

    if (options->n_classes != 0 && options->n_classes != count)
        return df_error_set("the data set %s has %d classes, not %d", df_dataset_kind_name(options->kind),
                            count, options->n_classes);
    df_palette_fill(&palette, options->kind, NULL);
    for (int i = 0; i < count; i++) {
        const char *name = choice->built_in[i];
        DF_TRY(df_class_table_add(table, name, strlen(name), palette.rgb[i]));
        DF_TRY(df_mask_values_add(&table->values, (uint32_t)(i + ade20k), NULL, i));
    }
    choice->named = true;
    if (ade20k)
        return df_mask_values_add(&table->values, 0, NULL, DF_IGNORE_LABEL);
    return df_mask_values_add(&table->values, DF_IGNORE_LABEL, NULL,
                              options->void_as_background ? 0 : DF_IGNORE_LABEL);
}

static int take_palette(struct df_class_choice *choice)
{
    DF_TRY(df_palette_read(choice->options->palette, &choice->table));
    choice->table.values.count = choice->table.count;
    choice->named = true;
    return check_count(choice, "the colours of", choice->options->palette);
}

static int take_listed(struct df_class_choice *choice)
{
    const char *text = choice->options->mask_values;
    struct df_mask_values *values = &choice->table.values;

    if (df_mask_values_parse(text, values) != 0)
        return df_error_context("the values of masks");
    DF_TRY(values->source == DF_SOURCE_FOLDERS ? name_by_folders(&choice->table)
                                               : add_unnamed(&choice->table, values->count));
    DF_TRY(check_count(choice, "the mask values", text));
    if (df_mask_values_ignored_with(text) && choice->names.count == 0) /* the name of a table */
        return df_color_table(text, false, &choice->names) == 0 ? 0 : -1;
    return 0;
}

static int take_folders(struct df_class_choice *choice)
{
    const struct df_class_table *names = choice->options->class_names ? &choice->names : NULL;

    DF_TRY(df_class_folders_take(&choice->folders, names, &choice->table));
    df_class_table_free(&choice->names); /* all that they say is in the table */
    choice->named = true;
    return check_count(choice, "the folders of", "masks");
}

/* The colour of a class that a list names. */
static const uint8_t *color_of(const struct df_class_table *names, const char *name)
{
    for (int i = 0; i < names->count; i++) {
        if (names->classes[i].colored && strcmp(names->classes[i].name, name) == 0)
            return names->classes[i].rgb;
    }
    return NULL;
}

/* Masks that are drawn hold the numbers of the annotations' classes. */
static int take_annotations(struct df_class_choice *choice)
{
    const struct df_annotations *annotations = choice->annotations;
    struct df_class_table *table = &choice->table;

    for (int i = 0; i < annotations->n_classes; i++) {
        const char *name = annotations->class_names[i];
        DF_TRY(df_class_table_add(table, name, strlen(name), color_of(&choice->names, name)));
        DF_TRY(df_mask_values_add(&table->values, (uint32_t)i, NULL, i));
    }
    table->values.count = table->count;
    df_class_table_free(&choice->names); /* all that they say is in the table */
    choice->named = true;
    return check_count(choice, "the classes of", annotations->path);
}

static int take_numbers(struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    const int count = options->n_classes > 0       ? options->n_classes
                      : choice->names.count > 0    ? choice->names.count
                      : options->usual_classes > 0 ? options->usual_classes
                                                   : 0;

    if (count < 1 || count > DF_MAX_CLASSES)
        return df_error_set("the data set %s needs a number of classes from 1 to %d, not %d",
                            df_dataset_kind_name(options->kind), DF_MAX_CLASSES, count);
    for (int i = 0; i < count; i++)
        DF_TRY(df_mask_values_add(&choice->table.values, (uint32_t)i, NULL, i));
    choice->table.values.count = count;
    return add_unnamed(&choice->table, count);
}

/* Masks are files, or folders of the classes. */
static int check_folders(const struct df_class_choice *choice)
{
    const bool listed = choice->table.values.source == DF_SOURCE_FOLDERS;
    const char *found = choice->folders.n_items > 0 ? choice->folders.items[0].folder : "";

    if (listed && !*found)
        return df_error_set("the mask values %.200s are folders, but the masks of %s are files",
                            choice->options->mask_values, choice->options->root);
    if (!listed && *found)
        return df_error_set(
            "the masks of %s are a folder for each class ('%s'), which have neither values nor "
            "colours of their own",
            choice->options->root, found);
    return listed ? df_class_folders_check(&choice->folders, &choice->table.values) : 0;
}

/* What is ignored: what is said, else 255, unless that is a class. */
static int ignore(struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    struct df_mask_values *values = &choice->table.values;
    const char *text =
        options->ignore_value ? options->ignore_value : df_mask_values_ignored_with(options->mask_values);

    if (text && df_mask_values_ignore(values, text) != 0)
        return df_error_context("the values that are ignored");
    if (text || values->source != DF_SOURCE_VALUES || df_mask_values_has(values, DF_IGNORE_LABEL))
        return 0;
    const bool void_is_class = options->kind == DF_DATASET_VOC && options->void_as_background;
    return df_mask_values_add(values, DF_IGNORE_LABEL, NULL, void_is_class ? 0 : DF_IGNORE_LABEL);
}

static int take_folder(struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;

    if (choice->annotations && options->palette)
        return df_error_set("the masks are drawn from %s, and have no colours", choice->annotations->path);
    if (options->kind == DF_DATASET_FOLDER && !choice->annotations && !options->layout.images &&
        !options->layout.pairs)
        DF_TRY(df_class_folders_find(options->root, &choice->folders));
    if (options->palette)
        DF_TRY(take_palette(choice));
    else if (options->mask_values)
        DF_TRY(take_listed(choice));
    else if (choice->annotations)
        DF_TRY(take_annotations(choice));
    else if (choice->folders.n_items > 0)
        DF_TRY(take_folders(choice));
    else
        DF_TRY(take_numbers(choice));
    DF_TRY(ignore(choice));
    return check_folders(choice);
}

int df_class_choice_take(struct df_class_choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    int count = 0;

    if (!options->mask_values)
        choice->built_in = df_dataset_names(options->kind, &count);
    if (choice->built_in)
        return take_built_in(choice, count);
    if (options->class_names)
        DF_TRY(df_class_names_read(options->class_names, &choice->names));
    return take_folder(choice);
}
