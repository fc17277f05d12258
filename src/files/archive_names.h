/* The names of an archive's entries while it is read, as paths below it: what a folder would hold. */
#ifndef DINOFT_FILES_ARCHIVE_NAMES_H
#define DINOFT_FILES_ARCHIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_ARCHIVE_NAME_MAX 4096 /* bytes, with the end */

struct df_archive_entry {
    const char *name;  /* "images/a.jpg"; of a folder "images/" */
    uint64_t size, at; /* of a file: its bytes, and where they are: what that is says the format's reader */
    size_t text;       /* of the name, among all texts */
};

/* All of them; to be freed, also after a failure. Once sorted, by strcmp() of names, none occurs twice. */
struct df_archive_names {
    struct df_archive_entry *entries;
    size_t count;
    char *text;
    size_t text_size, text_room;
    size_t replaced; /* entries that a later one of the same name lies over */
};

/* Adds an entry whose name has any bytes; it is a folder if the name ends with a slash. "a//./b" becomes
 * "a/b", and "/a" becomes "a"; what is left of "./" is not added. -1 with the error set: a part "..", a byte
 * 0, too long a name. */
int df_archive_names_add(struct df_archive_names *names, const char *name, size_t length, uint64_t size,
                         uint64_t at);

/* Sorts them, and leaves of equal names the one that was added last. */
void df_archive_names_settle(struct df_archive_names *names);
void df_archive_names_free(struct df_archive_names *names);

/* Of settled ones: the first whose name is not before this one, or `count`. */
size_t df_archive_names_find(const struct df_archive_names *names, const char *name);

#endif
