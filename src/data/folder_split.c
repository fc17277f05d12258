/* Whether the folders of a split are there at all. */
#include "annotations/find.h"
#include "annotations/split_folders.h"
#include "folder_files.h"
#include "layouts/layout.h"

#include "dinoft/error.h"

#include <stdlib.h>

/* Where images, masks and annotations of a split may be (annotations/find.c). */
static const char *const folders[] = {"{root}/images/{split}", "{root}/masks/{split}",
                                      "{root}/labels/{split}", "{root}/annotations/{split}",
                                      "{root}/{split}"};

static int look_into(const char *pattern, const char *root, const char *word, bool *has)
{
    char *path = df_split_path(pattern, root, word);
    const int status = path ? df_folder_holds_files(path, has) : -1;

    free(path);
    return status;
}

int df_split_folders_have(const struct df_dataset_options *options, enum df_split split, bool *has)
{
    struct df_dataset_options of_split = *options;

    *has = false;
    of_split.split = split;
    for (const char *const *word = df_split_words(split); *word; word++) {
        for (size_t i = 0; i < sizeof folders / sizeof *folders && !*has; i++)
            DF_TRY(look_into(folders[i], options->root, *word, has));
    }
    return *has ? 0 : df_annotation_source_has_split(&of_split, has);
}
