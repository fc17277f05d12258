/* What the options say of a data set's classes: what they are called, drawn as, and in the masks' files. */
#include "annotations/annotations.h"
#include "class_folders.h"
#include "class_table.h"

#include "dinoft/error.h"
#include "dinoft/palette.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct choice {
    const struct df_dataset_options *options;
    const char *const *built_in; /* names; NULL: a folder, or masks of recorded values */
    struct df_class_table table;
    struct df_class_table names; /* of options->class_names */
    struct df_mask_values folders;
    const struct df_annotations *annotations; /* NULL: there are none */
    bool named;                               /* the table's names are its own */
};

static int check_count(const struct choice *choice, const char *what, const char *which)
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

/* --- the classes of the masks --- */

/* VOC's masks have class numbers; ADE20K's begin with 0 for "other". */
static int take_built_in(struct choice *choice, int count)
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

static int take_palette(struct choice *choice)
{
    DF_TRY(df_palette_read(choice->options->palette, &choice->table));
    choice->table.values.count = choice->table.count;
    choice->named = true;
    return check_count(choice, "the colours of", choice->options->palette);
}

static int take_listed(struct choice *choice)
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

static int take_folders(struct choice *choice)
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
static int take_annotations(struct choice *choice)
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

static int take_numbers(struct choice *choice)
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
static int check_folders(const struct choice *choice)
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
static int ignore(struct choice *choice)
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

static int take_folder(struct choice *choice)
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

/* --- names and colours --- */

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

static int rename_classes(struct choice *choice)
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
static int take_known(struct choice *choice)
{
    const struct df_known_classes *known = &choice->options->known;

    if (choice->named || known->count != choice->table.count)
        return 0;
    for (int i = 0; i < known->count; i++)
        DF_TRY(rename_class(&choice->table.classes[i], known->names[i],
                            known->colors ? known->colors[i] : NULL));
    return 0;
}

static int choose(struct choice *choice)
{
    const struct df_dataset_options *options = choice->options;
    int count = 0;

    if (!options->mask_values)
        choice->built_in = df_dataset_names(options->kind, &count);
    if (choice->built_in) {
        DF_TRY(take_built_in(choice, count));
    } else {
        if (options->class_names)
            DF_TRY(df_class_names_read(options->class_names, &choice->names));
        DF_TRY(take_folder(choice));
        DF_TRY(rename_classes(choice));
    }
    DF_TRY(df_class_table_merge(&choice->table, options->merge_classes, options->ignore_classes));
    return take_known(choice);
}

/* --- the data set --- */

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
static int note_values(struct df_dataset *dataset, const struct choice *choice)
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

static int hand_over(struct df_dataset *dataset, struct choice *choice)
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
    struct choice choice = {.options = options, .annotations = dataset->annotations};
    int status = -1;

    if (choose(&choice) == 0)
        status = hand_over(dataset, &choice);
    df_class_table_free(&choice.table);
    df_class_table_free(&choice.names);
    df_mask_values_free(&choice.folders);
    return status;
}
