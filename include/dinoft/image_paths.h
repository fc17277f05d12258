/* Image files that a person names by their folder or a pattern. */
#ifndef DINOFT_IMAGE_PATHS_H
#define DINOFT_IMAGE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

struct df_image_path {
    char *path;
    size_t below; /* where in the path that begins which the folder or pattern leaves open: folders, a name */
};

struct df_image_paths {
    struct df_image_path *items;
    size_t count;
};

/* Adds a copy of a path. */
int df_image_paths_add(struct df_image_paths *paths, const char *path, size_t below);

/* Adds the images of a folder, and with `recursive` those of the folders in it, sorted by names. What is no
 * image by its name's ending is told in the log, but hidden files and what systems leave (Thumbs.db, …) are
 * not. leave_out (NULL: none): a folder that is not looked into. -1 with the error set: a folder cannot be
 * read, has no image, or is the one that is left out. */
int df_image_paths_add_folder(struct df_image_paths *paths, const char *folder, bool recursive,
                              const char *leave_out);

/* Whether a text has a '*' or a '?' in it. */
bool df_image_paths_is_pattern(const char *text);

/* Adds the images that match a pattern, sorted: '*' and '?' within the name of a file or folder, a part "**"
 * for any folders or none. The rest as above; folders that are named in full are not left out. */
int df_image_paths_add_pattern(struct df_image_paths *paths, const char *pattern, const char *leave_out);

void df_image_paths_free(struct df_image_paths *paths);

#endif
