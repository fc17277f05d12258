#include "class_folders.h"

#include "data_root.h"
#include "folder_files.h"
#include "layouts/layout.h"
#include "split_folders.h"

#include "dinoft/error.h"

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

/* A folder that the images have too is no class: it holds the masks of theirs. images may be NULL. */
static int add_folders(const struct df_folder_files *files, const char *images,
                       struct df_mask_values *folders)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *name = files->items[i].name;
        if (files->items[i].kind != DF_FILE_FOLDER || find(folders, name) ||
            (images && df_folder_is_there(images, name)))
            continue;
        if (strpbrk(name, ",+="))
            return df_error_set("the folder %s/%s is a class, in whose name no , + or = can be",
                                files->folder, name);
        DF_TRY(df_mask_values_add(folders, 0, name, DF_IGNORE_LABEL));
    }
    return 0;
}

/* Those of a folder of masks, if no mask lies beside them; *has_files: one does. */
static int find_in_folder(const char *path, const char *images, struct df_mask_values *folders,
                          bool *has_files)
{
    struct df_folder_files files;
    int status = 0;

    if (df_folder_files_read(&files, path, df_mask_endings()) != 0)
        status = -1;
    *has_files = has(&files, DF_FILE_READ);
    if (status == 0 && !*has_files)
        status = add_folders(&files, images, folders);
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

/* Folders called as splits divide masks, whose images are divided otherwise: no classes. */
static bool are_splits(const char *masks)
{
    for (const char *const *word = df_split_words(DF_SPLIT_VAL); *word; word++) {
        if (df_folder_is_there(masks, *word))
            return true;
    }
    return false;
}

/* Of a split, or of all masks where no folders divide the images. *path: the folder of masks, or NULL. */
static int find_in_part(const char *root, bool divided, enum df_split split, struct df_mask_values *folders,
                        char **path, bool *has_files)
{
    const char *const of_images[] = {divided ? "{root}/images/{split}" : "{root}/images", NULL};
    const char *const of_masks[] = {divided ? "{root}/masks/{split}" : "{root}/masks", NULL};
    char *images = NULL;
    int status = df_split_folder(of_masks, root, split, NULL, path);

    if (status == 0 && *path)
        status = df_split_folder(of_images, root, split, NULL, &images);
    if (status == 0 && *path && (divided || !are_splits(*path)))
        status = find_in_folder(*path, images, folders, has_files);
    free(images);
    return status;
}

/* Masks of one split are files, those of the other folders. */
static int check_alike(char *const paths[2], const bool has_files[2], const struct df_mask_values *folders)
{
    if (folders->n_items == 0 || !(has_files[0] || has_files[1]))
        return 0;
    return df_error_set("%s has files, %s has folders", paths[!has_files[0]], paths[has_files[0]]);
}

int df_class_folders_find(const char *root, struct df_mask_values *folders)
{
    const bool divided = df_split_folders_found(root);
    char *paths[2] = {NULL, NULL};
    bool has_files[2] = {false, false};
    int status = 0;

    *folders = (struct df_mask_values){.source = DF_SOURCE_FOLDERS};
    for (int i = 0; i < (divided ? 2 : 1) && status == 0; i++)
        status = find_in_part(root, divided, (enum df_split)i, folders, &paths[i], &has_files[i]);
    if (status == 0)
        status = check_alike(paths, has_files, folders);
    if (status == 0 && folders->n_items > 0)
        qsort(folders->items, folders->n_items, sizeof *folders->items, compare);
    free(paths[0]);
    free(paths[1]);
    return status;
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
    const bool found = !data || df_class_folders_find(data, &folders) != 0 || folders.n_items > 0;

    df_mask_values_free(&folders);
    free(data);
    return found;
}
