#include "nnunet.h"

#include "../folder_files.h"

#include "dinoft/error.h"
#include "dinoft/json_read.h"
#include "dinoft/mask_values.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST     ((size_t)1 << 26) /* bytes: older versions list all files in it */
#define NAME_MOST     200               /* bytes of a label's name */
#define IGNORED_LABEL "ignore"

static int wrong(const char *path, const char *what)
{
    return df_error_set("%s: %s", path, what);
}

static int compare(const void *a, const void *b)
{
    const struct df_nnunet_label *first = a, *second = b;
    return (first->value > second->value) - (first->value < second->value);
}

static int add_label(struct df_nnunet *nnunet, const char *path, const cJSON *label)
{
    const double value = label->valuedouble;

    if (cJSON_IsArray(label))
        return df_error_set(
            "%s: the label '%.80s' is a region of several values, which overlap: only labels of one "
            "value are read",
            path, label->string);
    if (!cJSON_IsNumber(label) || value != (double)(int64_t)value || value < 0 || value > DF_MASK_VALUE_MOST)
        return df_error_set(
            "%s: the label '%.80s' has no value from 0 to %d (labels are names with their values, "
            "as in version 2)",
            path, label->string, DF_MASK_VALUE_MOST);
    if (strlen(label->string) > NAME_MOST)
        return wrong(path, "a label has a name of more than 200 bytes");
    if (strcmp(label->string, IGNORED_LABEL) == 0) {
        nnunet->ignored = (int64_t)value;
        return 0;
    }
    if (nnunet->count == DF_MAX_CLASSES)
        return df_error_set("%s has more than %d labels", path, DF_MAX_CLASSES);
    nnunet->labels[nnunet->count] = (struct df_nnunet_label){df_text_copy(label->string), (int64_t)value};
    if (!nnunet->labels[nnunet->count].name)
        return -1;
    df_text_replace_controls(nnunet->labels[nnunet->count++].name);
    return 0;
}

static int read_labels(struct df_nnunet *nnunet, const char *path, const cJSON *labels)
{
    const cJSON *label;

    if (!cJSON_IsObject(labels))
        return wrong(path, "it has no labels");
    nnunet->labels = calloc(DF_MAX_CLASSES, sizeof *nnunet->labels);
    if (!nnunet->labels)
        return df_error_memory("labels", DF_MAX_CLASSES * sizeof *nnunet->labels);
    cJSON_ArrayForEach(label, labels) DF_TRY(add_label(nnunet, path, label));
    qsort(nnunet->labels, (size_t)nnunet->count, sizeof *nnunet->labels, compare);
    for (int i = 0; i < nnunet->count; i++) {
        if (nnunet->labels[i].value == nnunet->ignored ||
            (i > 0 && nnunet->labels[i].value == nnunet->labels[i - 1].value))
            return df_error_set("%s: two labels have the value %d", path, (int)nnunet->labels[i].value);
    }
    return nnunet->count > 0 ? 0 : wrong(path, "it has no labels");
}

static int read_ending(struct df_nnunet *nnunet, const char *path, const char *ending)
{
    char list[128];

    if (!ending || *ending != '.')
        return wrong(path, "it has no file_ending such as .png (version 2 has one)");
    nnunet->ending = df_text_copy(ending);
    char *name = df_text_format("x%s", ending);
    const bool read = name && df_endings_have(df_image_endings(), name) &&
                      df_endings_have(df_mask_endings(), name) && strrchr(ending, '.') == ending;
    free(name);
    if (!nnunet->ending || !name)
        return -1;
    if (read)
        return 0;
    return df_error_set("%s: file_ending is %.20s, and masks are read with the ending %s: only images of two "
                        "dimensions are read",
                        path, ending, df_endings_list(df_mask_endings(), list, sizeof list));
}

int df_nnunet_read(const char *root, struct df_nnunet *nnunet)
{
    char *path = df_text_format("%s/dataset.json", root);
    cJSON *tree = path ? df_json_read(path, FILE_MOST) : NULL;
    int status = -1;

    *nnunet = (struct df_nnunet){.ignored = -1};
    if (tree && !cJSON_IsObject(tree))
        wrong(path, "it is no JSON object");
    else if (tree && read_labels(nnunet, path, cJSON_GetObjectItemCaseSensitive(tree, "labels")) == 0)
        status = read_ending(nnunet, path,
                             cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "file_ending")));
    cJSON_Delete(tree);
    free(path);
    return status;
}

void df_nnunet_free(struct df_nnunet *nnunet)
{
    for (int i = 0; i < nnunet->count; i++)
        free(nnunet->labels[i].name);
    free(nnunet->labels);
    free(nnunet->ending);
}
