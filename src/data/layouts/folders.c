/* ROOT/images and ROOT/masks, each with the folders train and val or without. */
#include "layout.h"

#include "../annotations/split_folders.h"
#include "../class_folders.h"
#include "../folder_files.h"
#include "../sample_list.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>

static int add_folders(struct df_dataset *dataset, const char *root, const char *below, bool tells)
{
    char *images = df_text_format("%s/images%s", root, below);
    char *masks = df_text_format("%s/masks%s", root, below);
    int status = -1;

    if (images && masks)
        status = dataset->rule.values.source == DF_SOURCE_FOLDERS
                     ? df_class_folders_list(dataset, images, masks)
                     : df_sample_add_folder(dataset, images, masks, tells);

    free(masks);
    free(images);
    return status;
}

bool df_split_folders_found(const char *root)
{
    return df_folder_is_there(root, "images/train") || df_folder_is_there(root, "images/val");
}

int df_split_folders_list(struct df_dataset *dataset, const struct df_dataset_options *options,
                          struct df_listing *listing)
{
    snprintf(listing->what, sizeof listing->what, "images/{train,val} + masks/{train,val} in %s",
             options->root);
    listing->divided = true;
    char *below = df_text_format("/%s", df_split_words(options)[0]);
    const int status = below ? add_folders(dataset, options->root, below, true) : -1;
    free(below);
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
    snprintf(listing->what, sizeof listing->what, "images + masks in %s", options->root);
    return add_folders(dataset, options->root, "", options->layout.tells);
}
