/* Paths that lead through an archive as through a folder: set.zip/images/a.jpg is images/a.jpg in the file
 * set.zip. Archives are files whose names end with .zip or .tar. df_file_bytes_read() takes such paths too.
 * Nothing of an archive is ever written. */
#ifndef DINOFT_ARCHIVE_PATH_H
#define DINOFT_ARCHIVE_PATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* As stat(2), of which these are set: kind, size, device and a number that tells places of an archive apart.
 * An archive itself is a regular file. -1 with errno set; where an archive cannot be read that is EIO, and
 * the error is set. */
int df_path_stat(const char *path, struct stat *facts);

bool df_path_exists(const char *path);

/* Calls visit for each name in a folder, or at the top of an archive or in a folder of it, but "." and "..",
 * in any order; 0 goes on. -1 with the error set, or what visit returned. */
typedef int df_path_visitor(void *context, const char *name, bool is_folder);
int df_path_each(const char *folder, df_path_visitor *visit, void *context);

/* Whether a name or path has the ending of an archive. */
bool df_path_names_archive(const char *path);

/* Whether it is a file that has. */
bool df_path_is_archive(const char *path);

/* Calls visit for each file in an archive, or in a folder of it, and in all folders below, in the order of
 * strcmp() of their paths from there. at: files are in this order in the archive. As above. */
typedef int df_archive_visitor(void *context, const char *name, uint64_t at);
int df_archive_each(const char *path, df_archive_visitor *visit, void *context);

/* Where a file is given in the place of a folder: -1 with the error set unless it is an archive that can be
 * read in place. 0 also for what is no file. */
int df_archive_check(const char *path);

#endif
