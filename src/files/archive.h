/* A .zip or .tar file whose entries are read where they lie, and those that are in use. */
#ifndef DINOFT_FILES_ARCHIVE_H
#define DINOFT_FILES_ARCHIVE_H

#include "archive_names.h"

#include "dinoft/mapped_file.h"

struct df_archive;

/* The path is for errors and messages alone. What is not an archive that can be read in place is an error:
 * NULL with the error set. The mapping stays the caller's; of a zip it is used until the end. */
struct df_archive *df_archive_read(const char *path, const struct df_mapping *mapping);
void df_archive_free(struct df_archive *archive); /* NULL is allowed */

/* What has packed all of a file at once, "gzip"; NULL: nothing that is known. And the error of such a file.
 */
const char *df_archive_packer(const struct df_mapping *mapping);
int df_archive_refuse_packed(const char *path, const char *packer);

/* Whether its mapping has to stay. */
bool df_archive_needs_mapping(const struct df_archive *archive);

const struct df_archive_names *df_archive_names(const struct df_archive *archive);

/* A path's way through an archive. */
struct df_archive_place {
    const struct df_archive *archive;
    char inside[DF_ARCHIVE_NAME_MAX]; /* the rest of the path: "images/a.jpg"; "" where it ends at the archive
                                       */
};

/* Finds the first part of the path that is an archive, by its ending and being a file. 1: it is there and
 * read; 0: there is none; -1 with the error set. An archive is read once and stays until the program ends; if
 * its file changes meanwhile, that is an error. */
int df_archive_find(const char *path, struct df_archive_place *place);

/* NULL where there is no such file. */
const struct df_archive_entry *df_archive_file(const struct df_archive_place *place);
bool df_archive_has_folder(const struct df_archive_place *place);

/* -1 with the error set where an entry that is a file cannot be read, before any memory is taken for it. */
int df_archive_check_file(const struct df_archive *archive, const struct df_archive_entry *entry);

/* All bytes of an entry that is a file, entry->size; -1 with the error set. From several threads at once. */
int df_archive_read_file(const struct df_archive *archive, const struct df_archive_entry *entry,
                         unsigned char *bytes);

#endif
