/* ROOT/images and ROOT/masks, each with the folders train and val or without. */
#include "layout.h"

#include "../annotations/find.h"
#include "../class_folders.h"
#include "../folder_files.h"
#include "../sample_list.h"
#include "../split_folders.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_AT_MOST 3

static int add_folders(struct df_dataset *dataset, const char *images, const char *masks, bool tells)
{
    return dataset->rule.values.source == DF_SOURCE_FOLDERS
               ? df_class_folders_list(dataset, images, masks, tells)
               : df_sample_add_folder(dataset, images, masks, tells);
}

bool df_split_folders_found(const char *root)
{
    for (int split = DF_SPLIT_TRAIN; split <= DF_SPLIT_VAL; split++) {
        for (const char *const *word = df_split_words((enum df_split)split); *word; word++) {
            char name[32];
            snprintf(name, sizeof name, "images/%s", *word);
            if (df_folder_is_there(root, name))
                return true;
        }
    }
    return false;
}

static int look_into(const char *const *patterns, const char *root, const char *word, bool *has)
{
    for (size_t i = 0; patterns[i] && !*has; i++) {
        char *path = df_split_path(patterns[i], root, word);
        const int status = path ? df_folder_holds_files(path, has) : -1;
        free(path);
        DF_TRY(status);
    }
    return 0;
}

int df_split_folders_have(const struct df_dataset_options *options, enum df_split split, bool *has)
{
    static const char *const of_masks[] = {"{root}/masks/{split}", "{root}/labels/{split}",
                                           "{root}/annotations/{split}", NULL};
    struct df_dataset_options of_split = *options;

    *has = false;
    of_split.split = split;
    for (const char *const *word = df_split_words(split); *word; word++) {
        DF_TRY(look_into(df_image_folders, options->root, *word, has));
        DF_TRY(look_into(of_masks, options->root, *word, has));
    }
    return *has ? 0 : df_annotation_source_has_split(&of_split, has);
}

/* ROOT/images/valid for instance; as if it was ROOT/images/val where none is there. The caller frees it. */
static char *folder_of_split(const char *root, const char *kind, enum df_split split)
{
    char *pattern = df_text_format("{root}/%s/{split}", kind), *path = NULL;
    const char *const patterns[] = {pattern, NULL};

    if (pattern && df_split_folder(patterns, root, split, NULL, &path) == 0 && !path)
        path = df_split_path(pattern, root, df_split_words(split)[0]);
    free(pattern);
    return path;
}

/* What is in a folder beside those that are read. */
static int report_others(const char *folder, char *const read[2])
{
    struct df_name_list others = {.most = NAMED_AT_MOST};
    struct df_folder_files files;
    const size_t length = strlen(folder) + 1;
    const int status = df_folder_files_read(&files, folder, df_image_endings());

    for (size_t i = 0; i < files.count; i++) {
        const char *name = files.items[i].name;
        if (strcmp(name, read[0] + length) != 0 && strcmp(name, read[1] + length) != 0)
            df_name_list_add(&others, "%s", name);
    }
    if (others.count > 0)
        df_log("warning: %zu of the %zu entries of %s %s of neither split, and not used: %s", others.count,
               files.count, folder, others.count == 1 ? "is" : "are", others.text);
    df_folder_files_free(&files);
    return status;
}

int df_split_folders_report(const char *root, const char *kind)
{
    char *folder = df_text_format("%s/%s", root, kind);
    char *read[2] = {folder_of_split(root, kind, DF_SPLIT_TRAIN), folder_of_split(root, kind, DF_SPLIT_VAL)};
    int status = folder && read[0] && read[1] ? 0 : -1;

    if (status == 0 && df_is_folder(folder))
        status = report_others(folder, read);
    free(read[0]);
    free(read[1]);
    free(folder);
    return status;
}

int df_split_folders_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                          struct df_listing *listing)
{
    const bool drawn = df_layout_draws(&options->layout);
    bool has_validation = true;

    if (drawn)
        DF_TRY(df_split_folders_have(options, DF_SPLIT_VAL, &has_validation));
    const enum df_split split = has_validation ? options->split : DF_SPLIT_TRAIN;
    char *images = folder_of_split(options->root, "images", split);
    char *masks = folder_of_split(options->root, "masks", split);
    int status = images && masks ? 0 : -1;

    listing->divided = has_validation;
    snprintf(listing->what, sizeof listing->what,
             has_validation ? "images/{train,val} + masks/{train,val} in %s"
                            : "images/train + masks/train in %s",
             options->root);
    if (status == 0)
        status = add_folders(dataset, images, masks, has_validation || options->layout.tells);
    if (status == 0 && options->layout.tells)
        status = df_split_folders_report(options->root, "images");
    if (status == 0 && options->layout.tells)
        status = df_split_folders_report(options->root, "masks");
    free(masks);
    free(images);
    return status;
}

/* Images that lie beside train and val are another layout than these. */
bool df_two_folders_found(const char *root)
{
    struct df_folder_files files = {0};
    bool found = false;

    if (!df_folder_is_there(root, "images") || !df_folder_is_there(root, "masks"))
        return false;
    if (!df_split_folders_found(root))
        return true;
    char *images = df_text_format("%s/images", root);
    if (images && df_folder_files_read(&files, images, df_image_endings()) == 0) {
        for (size_t i = 0; i < files.count && !found; i++)
            found = files.items[i].kind == DF_FILE_READ;
    }
    df_folder_files_free(&files);
    free(images);
    return found;
}

int df_two_folders_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                        struct df_listing *listing)
{
    char *images = df_text_format("%s/images", options->root);
    char *masks = df_text_format("%s/masks", options->root);
    const int status = images && masks ? add_folders(dataset, images, masks, options->layout.tells) : -1;

    snprintf(listing->what, sizeof listing->what, "images + masks in %s", options->root);
    free(masks);
    free(images);
    return status;
}
