/* Which archives make up a data set in shards: all that a pattern stands for, those of a folder, or one. */
#ifndef DINOFT_DATA_LAYOUTS_SHARDS_H
#define DINOFT_DATA_LAYOUTS_SHARDS_H

#include "dinoft/dataset.h"

struct df_shards {
    char **paths; /* in the order of their numbers, or of strcmp() */
    size_t count;
    bool divided; /* they are those of one split */
};

/* Whether a root means shards: a pattern such as "s/{split}-{0000..0127}.tar" or "s/{split}-*.tar"; a folder
 * of numbered .tar files, or of one for each split, also in folders of the splits; an archive with images at
 * its top. */
bool df_shards_found(const char *root);

/* Finds the shards of the split, or all where nothing divides them; none is no error where they are divided.
 * -1 with the error set: what a pattern names is not there, or a pattern is none. Free them in either case.
 */
int df_shards_find(const char *root, enum df_split split, bool tells, struct df_shards *shards);
void df_shards_free(struct df_shards *shards);

#endif
