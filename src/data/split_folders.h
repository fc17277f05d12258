/* Folders and files of a split, whatever people call it. */
#ifndef DINOFT_DATA_SPLIT_FOLDERS_H
#define DINOFT_DATA_SPLIT_FOLDERS_H

#include "dinoft/dataset.h"

/* What the split is called, the usual name first; NULL behind the last. */
const char *const *df_split_words(enum df_split split);

/* Patterns of where the images of a split may be, NULL behind the last. */
extern const char *const df_image_folders[];

/* Whether there is such a file, or folder. */
bool df_is_file(const char *path);
bool df_is_folder(const char *path);

/* Whether a folder has a file of that ending (".json"). 1, 0 also where there is no folder; -1 with the error
 * set. */
int df_folder_has(const char *folder, const char *ending);

/* The path of a pattern whose {root} and {split} stand for these; the caller frees it. NULL with the error
 * set. */
char *df_split_path(const char *pattern, const char *root, const char *word);

/* Sets *path to the first folder that is there, of the patterns and, for each, the split's words; NULL: none
 * is. `name` is a word that is tried before, or NULL. -1 with the error set when memory ran out. */
int df_split_folder(const char *const *patterns, const char *root, enum df_split split, const char *name,
                    char **path);

#endif
