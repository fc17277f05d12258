#include "class_folders.h"

#include "data_root.h"
#include "folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BACKGROUND "background"

/* Of those that are there. */
static const struct df_mask_value *find(const struct df_mask_values *folders, const char *name)
{
    for (size_t i = 0; i < folders->n_items; i++) {
        if (strcmp(folders->items[i].folder, name) == 0)
            return &folders->items[i];
    }
    return NULL;
}

static bool has(const struct df_folder_files *files, enum df_file_kind kind)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].kind == kind)
            return true;
    }
    return false;
}

static int add_folders(const struct df_folder_files *files, struct df_mask_values *folders)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *name = files->items[i].name;
        if (files->items[i].kind != DF_FILE_FOLDER || find(folders, name))
            continue;
        if (strpbrk(name, ",+="))
            return df_error_set("the folder %s/%s is a class, in whose name no , + or = can be",
                                files->folder, name);
        DF_TRY(df_mask_values_add(folders, 0, name, DF_IGNORE_LABEL));
    }
    return 0;
}

/* Those of a split, if no mask lies beside them; *has_files: one does. A split that is not there is told
 * where it is needed. */
static int find_in_split(const char *path, struct df_mask_values *folders, bool *has_files)
{
    struct df_folder_files files;
    int status = 0;

    *has_files = false;
    if (!df_path_exists(path))
        return 0;
    if (df_folder_files_read(&files, path, df_mask_endings()) != 0)
        status = -1;
    *has_files = has(&files, DF_FILE_READ);
    if (status == 0 && !*has_files)
        status = add_folders(&files, folders);
    df_folder_files_free(&files);
    return status;
}

static bool is_background(const char *name)
{
    return strcasecmp(name, BACKGROUND) == 0;
}

static int compare(const void *a, const void *b)
{
    const struct df_mask_value *first = a, *second = b;
    const int order = is_background(second->folder) - is_background(first->folder);

    return order != 0 ? order : strcmp(first->folder, second->folder);
}

int df_class_folders_find(const char *root, struct df_mask_values *folders)
{
    static const char *const splits[] = {"train", "val"};
    bool has_files[2] = {false};
    int status = 0;

    *folders = (struct df_mask_values){.source = DF_SOURCE_FOLDERS};
    for (int i = 0; i < 2 && status == 0; i++) {
        char *path = df_text_format("%s/masks/%s", root, splits[i]);
        status = path ? find_in_split(path, folders, &has_files[i]) : -1;
        free(path);
    }
    if (status != 0 || folders->n_items == 0)
        return status;
    if (has_files[0] || has_files[1])
        return df_error_set("%s/masks/%s has files, masks/%s has folders", root, splits[!has_files[0]],
                            splits[has_files[0]]);
    qsort(folders->items, folders->n_items, sizeof *folders->items, compare);
    return 0;
}

static int add_class(struct df_class_table *table, const char *name, const uint8_t *rgb)
{
    const bool ignored = df_class_name_is_ignored(name, strlen(name));

    DF_TRY(df_mask_values_add(&table->values, 0, name, ignored ? DF_IGNORE_LABEL : table->count));
    return ignored ? 0 : df_class_table_add(table, name, strlen(name), rgb);
}

/* Whether a list of names has the background in it. */
static bool has_background(const struct df_mask_values *folders, const struct df_class_table *names)
{
    for (int i = 0; names && i < names->count; i++) {
        if (is_background(names->classes[i].name))
            return true;
    }
    return !names && folders->n_items > 0 && is_background(folders->items[0].folder);
}

int df_class_folders_take(const struct df_mask_values *folders, const struct df_class_table *names,
                          struct df_class_table *table)
{
    table->values.source = DF_SOURCE_FOLDERS;
    if (!has_background(folders, names))
        DF_TRY(add_class(table, BACKGROUND, NULL));
    for (int i = 0; names && i < names->count; i++)
        DF_TRY(add_class(table, names->classes[i].name,
                         names->classes[i].colored ? names->classes[i].rgb : NULL));
    for (size_t i = 0; i < folders->n_items; i++) {
        const char *name = folders->items[i].folder;
        if (!names || (df_class_name_is_ignored(name, strlen(name)) && !find(&table->values, name)))
            DF_TRY(add_class(table, name, NULL));
    }
    table->values.count = table->count;
    return df_class_folders_check(folders, &table->values);
}

int df_class_folders_check(const struct df_mask_values *folders, const struct df_mask_values *values)
{
    bool background = false;

    for (size_t i = 0; i < values->n_items; i++)
        background = background || is_background(values->items[i].folder);
    if (!background)
        return df_error_set("none of the classes is " BACKGROUND "/, which pixels of no folder are of");
    for (size_t i = 0; i < folders->n_items; i++) {
        if (!find(values, folders->items[i].folder))
            return df_error_set("the masks have a folder '%s', which is none of the classes",
                                folders->items[i].folder);
    }
    return 0;
}

bool df_dataset_has_class_folders(const char *root)
{
    struct df_mask_values folders = {0};
    char *data = df_data_root(root);
    const bool found = data && df_class_folders_find(data, &folders) == 0 && folders.n_items > 0;

    df_mask_values_free(&folders);
    free(data);
    return found;
}
