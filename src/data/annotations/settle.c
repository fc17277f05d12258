/* Which class each label is. */
#include "annotations.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char background_name[] = "background";

/* As people and labelme write it. */
static bool is_background(const char *name)
{
    return strcasecmp(name, background_name) == 0 || strcmp(name, "_background_") == 0 ||
           strcmp(name, "__background__") == 0;
}

static struct df_label *label_of(const struct df_annotations *annotations, size_t label)
{
    return (struct df_label *)annotations->labels.items + label;
}

static int add_class(struct df_annotations *annotations, const char *name)
{
    if (annotations->n_classes == DF_MAX_CLASSES)
        return df_error_set("%s has more than %d classes", annotations->path, DF_MAX_CLASSES);
    char *copy = df_text_copy(name);
    if (!copy)
        return -1;
    annotations->class_names[annotations->n_classes++] = copy;
    return 0;
}

static int class_named(const struct df_annotations *annotations, const char *name)
{
    for (int i = 0; i < annotations->n_classes; i++) {
        if (strcmp(annotations->class_names[i], name) == 0 ||
            (is_background(annotations->class_names[i]) && is_background(name)))
            return i;
    }
    return -1;
}

static int take_given(struct df_annotations *annotations, const struct df_given_names *given)
{
    for (int i = 0; i < given->count; i++) {
        if (strcmp(given->names[i], DF_IGNORED_NAME) == 0)
            continue;
        if (class_named(annotations, given->names[i]) >= 0)
            return df_error_set("%s names '%s' twice", given->path, given->names[i]);
        DF_TRY(add_class(annotations, given->names[i]));
    }
    const int background = class_named(annotations, background_name);
    if (background < 0 && !annotations->covers_all)
        return df_error_set(
            "%s names no class 'background': pixels that no shape of %s covers would have none", given->path,
            annotations->path);
    annotations->uncovered = annotations->covers_all ? DF_IGNORE_LABEL : (uint8_t)background;
    return 0;
}

static bool has_name(const struct df_given_names *given, const char *name)
{
    for (int i = 0; i < given->count; i++) {
        if (strcmp(given->names[i], name) == 0 || (is_background(given->names[i]) && is_background(name)))
            return true;
    }
    return false;
}

bool df_annotations_are_named(const struct df_annotations *annotations, const struct df_given_names *given)
{
    for (size_t i = 0; i < annotations->labels.count; i++) {
        const char *name = label_of(annotations, i)->name;
        if (strcmp(name, DF_IGNORED_NAME) != 0 && !has_name(given, name))
            return false;
    }
    return annotations->covers_all || has_name(given, background_name);
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp((*(struct df_label *const *)a)->name, (*(struct df_label *const *)b)->name);
}

/* The labels in their order, or in that of their names. */
static void order_labels(struct df_annotations *annotations, struct df_label **order)
{
    for (size_t i = 0; i < annotations->labels.count; i++)
        order[i] = label_of(annotations, i);
    if (annotations->sorts_labels && annotations->labels.count > 0)
        qsort(order, annotations->labels.count, sizeof(struct df_label *), compare_labels);
}

/* The background is class 0, under the name that the file has for it. */
static int take_labels(struct df_annotations *annotations)
{
    struct df_label *order[DF_LABEL_NAMES_MAX];
    const char *background = annotations->covers_all ? NULL : background_name;
    const size_t count = annotations->labels.count;

    order_labels(annotations, order);
    for (size_t i = 0; i < count && background == background_name; i++) {
        if (is_background(order[i]->name))
            background = order[i]->name;
    }
    if (background)
        DF_TRY(add_class(annotations, background));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(order[i]->name, DF_IGNORED_NAME) != 0 && !(background && is_background(order[i]->name)))
            DF_TRY(add_class(annotations, order[i]->name));
    }
    annotations->uncovered = background ? 0 : DF_IGNORE_LABEL;
    return 0;
}

static int find_class(const struct df_annotations *annotations, struct df_label *label,
                      const struct df_given_names *given)
{
    const int class =
        strcmp(label->name, DF_IGNORED_NAME) == 0 ? DF_IGNORE_LABEL : class_named(annotations, label->name);
    if (class < 0)
        return df_error_set("%s: the label '%s' is none of the %d classes of %s", label->file, label->name,
                            annotations->n_classes, given ? given->path : annotations->path);
    label->class = (uint8_t) class;
    return 0;
}

/* Labels become classes in all annotations. */
int df_annotations_settle(struct df_annotations *annotations, const struct df_given_names *given)
{
    annotations->class_names = calloc(DF_MAX_CLASSES, sizeof *annotations->class_names);
    if (!annotations->class_names)
        return df_error_memory("class names", DF_MAX_CLASSES * sizeof *annotations->class_names);
    DF_TRY(df_annotations_index(annotations));
    DF_TRY(given ? take_given(annotations, given) : take_labels(annotations));
    if (annotations->n_classes < 2)
        return df_error_set("%s has no classes but the background", annotations->path);
    for (size_t i = 0; i < annotations->labels.count; i++)
        DF_TRY(find_class(annotations, label_of(annotations, i), given));
    for (size_t i = 0; i < annotations->annotations.count; i++) {
        struct df_annotation *annotation = (struct df_annotation *)annotations->annotations.items + i;
        annotation->shape.label = label_of(annotations, annotation->label)->class;
    }
    return 0;
}
