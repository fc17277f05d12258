#include "data_root.h"
#include "split_folders.h"
#include "folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 8

/* Folders that a layout has a name for, which may be the only one of it. */
static bool is_of_a_layout(const char *name)
{
    static const char *const names[] = {"images", "VOCdevkit", "ADEChallengeData2016"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (int split = DF_SPLIT_TRAIN; split <= DF_SPLIT_VAL; split++) {
        for (const char *const *word = df_split_words((enum df_split)split); *word; word++) {
            if (strcmp(name, *word) == 0)
                return true;
        }
    }
    return false;
}

/* Replaces the root by the only folder in it. 1: it did; 0: there is none such; -1 with the error set. */
static int descend(char **root)
{
    struct df_folder_files files;
    int status = df_folder_files_read(&files, *root, df_image_endings());

    if (status == 0 && files.count == 1 && files.items[0].kind == DF_FILE_FOLDER &&
        !is_of_a_layout(files.items[0].name)) {
        char *below = df_text_format("%s/%s", *root, files.items[0].name);
        status = below ? 1 : -1;
        free(*root);
        *root = below;
    }
    df_folder_files_free(&files);
    return status;
}

char *df_data_root(const char *root)
{
    char *found = df_archive_check(root) == 0 ? df_text_copy(root) : NULL;
    int status = found && df_path_is_archive(root);

    for (int depth = 0; status == 1 && depth < DEPTH_MOST; depth++)
        status = descend(&found);
    if (status >= 0)
        return found;
    free(found);
    return NULL;
}
