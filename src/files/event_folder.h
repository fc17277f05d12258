/* The event files in a folder that are ours, by their names (dinoft/event_file.h). */
#ifndef FILES_EVENT_FOLDER_H
#define FILES_EVENT_FOLDER_H

#include "dinoft/event_file.h"

#include <stddef.h>
#include <stdint.h>

struct df_event_folder {
    char **paths; /* [count], in the order of their names, which begin with their time */
    size_t count;
    int64_t newest; /* the last one's time, seconds of the epoch; 0: none */
};

/* None where there is no such folder. -1 with the error set; clear it in either case. */
int df_event_folder_list(const char *path, struct df_event_folder *folder);
void df_event_folder_clear(struct df_event_folder *folder);

/* Succeeds if there are none, or one has that name. */
int df_event_folder_check(const char *path, const char *name);

/* Takes away what comes after the place (df_event_file_continue()); newest: as above, before that. A file
 * that shows nothing then is removed. */
int df_event_folder_cut(const char *path, const struct df_event_place *place, int64_t *newest);

/* The path of a new file, to be freed; number: distinguishes those of one process and second. NULL with the
 * error set. */
char *df_event_folder_path(const char *path, int64_t time, int number);

#endif
