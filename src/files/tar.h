/* Tar archives: where each file's bytes lie.
 *
 * Format: POSIX.1-2017, pax: records of 512 bytes, each header with a checksum; extended headers (pax: type
 * x) whose path and size stand for those of the next header. GNU's long names (type L) and sizes of base 256
 * are read, as all writers of today make the one or the other. */
#ifndef DINOFT_FILES_TAR_H
#define DINOFT_FILES_TAR_H

#include "archive_names.h"

#include "dinoft/mapped_file.h"

/* What is no file nor folder, and is passed over. */
struct df_tar_passed {
    size_t links, others;            /* links of both kinds; devices and the like */
    char first[DF_ARCHIVE_NAME_MAX]; /* the name of the first one */
};

/* Adds files and folders; `at` is the offset of a file's bytes, which are all in the archive. -1 with the
 * error set: no tar archive, a wrong checksum, an archive that is cut short, or has something behind its end.
 */
int df_tar_read(const struct df_mapping *mapping, struct df_archive_names *names,
                struct df_tar_passed *passed);

/* Of a block of 512 bytes; for the header itself, whose own field counts as spaces. */
#define DF_TAR_BLOCK 512
unsigned df_tar_checksum(const unsigned char header[DF_TAR_BLOCK]);

#endif
