/* What lies in a folder, with the part of each name that pairs images with masks. */
#ifndef DINOFT_DATA_FOLDER_FILES_H
#define DINOFT_DATA_FOLDER_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum df_file_kind {
    DF_FILE_READ,
    DF_FILE_OTHER_ENDING,
    DF_FILE_FOLDER,
    DF_FILE_FOLDER_READ /* its files are */
};

struct df_folder_file {
    char *name, *stem;
    enum df_file_kind kind;
};

/* Endings of file names, with their dots; upper and lower case are the same. */
struct df_endings {
    const char *const *items;
    size_t count;
};

/* In the order of strcmp: of the stems, then of the names. */
struct df_folder_files {
    const char *folder;
    const struct df_endings *endings; /* those that are read */
    struct df_folder_file *items;
    size_t count;
};

/* Lists all but hidden files and what systems leave (Thumbs.db, @eaDir, …); the folder's name and the endings
 * must outlive the list. -1 with the error set; free it in either case. */
int df_folder_files_read(struct df_folder_files *files, const char *folder, const struct df_endings *endings);
void df_folder_files_free(struct df_folder_files *files);

/* Whether a name is what systems and network drives leave in folders, or begins with '.', and is hidden. */
bool df_name_is_of_a_system(const char *name);

/* Whether root has a folder of that name. */
bool df_folder_is_there(const char *root, const char *name);

/* Whether a folder has any file or folder that is not hidden; false where it is not there. A link to nothing
 * is an error, as a folder that cannot be read: -1 with the error set. */
int df_folder_holds_files(const char *folder, bool *holds);

/* Space for one more item, in an array that grows when its length reaches a power of two, so that no capacity
 * need be kept. NULL with the error set, and the array stays. */
void *df_grown(void *items, size_t count, size_t size);

/* Those of the images and masks that are read. (folder_pairs.c) */
const struct df_endings *df_image_endings(void);
const struct df_endings *df_mask_endings(void);

/* Whether a file has one of them, by its name or path. */
bool df_endings_have(const struct df_endings *endings, const char *name);

/* ".jpg, .png", in text. */
char *df_endings_list(const struct df_endings *endings, char *text, size_t size);

/* A line of the log that counts and names what is in the folder and is not read, if there is any. */
void df_folder_files_report(const struct df_folder_files *files);

#endif
