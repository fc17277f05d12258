#include "split_folders.h"

#include "folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const words[][4] = {
    [DF_SPLIT_TRAIN] = {"train", "training", NULL}, [DF_SPLIT_VAL] = {"val", "valid", "validation", NULL}};

const char *const df_image_folders[] = {"{root}/images/{split}", "{root}/{split}/images", "{root}/{split}",
                                        NULL};

const char *const *df_split_words(enum df_split split)
{
    return words[split];
}

bool df_is_folder(const char *path)
{
    struct stat status;
    return df_path_stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool df_is_file(const char *path)
{
    struct stat status;
    return df_path_stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int df_folder_has(const char *folder, const char *ending)
{
    const struct df_endings endings = {&ending, 1};
    struct df_folder_files files;
    int found = 0;

    if (!df_is_folder(folder))
        return 0;
    if (df_folder_files_read(&files, folder, &endings) != 0)
        found = -1;
    for (size_t i = 0; i < files.count && found == 0; i++)
        found = files.items[i].kind == DF_FILE_READ;
    df_folder_files_free(&files);
    return found;
}

/* Puts a value in the place of a mark, once; takes over the text. */
static char *replace(char *text, const char *mark, const char *value)
{
    char *found = text ? strstr(text, mark) : NULL;

    if (!found)
        return text;
    char *replaced = df_text_format("%.*s%s%s", (int)(found - text), text, value, found + strlen(mark));
    free(text);
    return replaced;
}

char *df_split_path(const char *pattern, const char *root, const char *word)
{
    return replace(replace(df_text_copy(pattern), "{split}", word), "{root}", root);
}

int df_split_folder(const char *const *patterns, const char *root, enum df_split split, const char *name,
                    char **path)
{
    *path = NULL;
    for (int w = name ? -1 : 0; w < 0 || words[split][w]; w++) {
        for (size_t i = 0; patterns[i]; i++) {
            char *tried = df_split_path(patterns[i], root, w < 0 ? name : words[split][w]);
            if (!tried)
                return -1;
            if (df_is_folder(tried)) {
                *path = tried;
                return 0;
            }
            free(tried);
        }
    }
    return 0;
}
