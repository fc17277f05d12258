/* Zip archives as PyTorch uses them: read from a mapped file without copying, written entry by entry.
 *
 * Format: PKWARE's APPNOTE.TXT, sections 4.3 (records) and 4.5.3 (zip64 extra field); raw deflate is RFC
 * 1951, left to zlib. When reading, the central directory is the authority: of a local header only the
 * lengths of its name and extra field count, so that data descriptors do not matter. */
#ifndef DINOFT_FILES_ZIP_H
#define DINOFT_FILES_ZIP_H
#include "dinoft/mapped_file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct df_zip_entry {
    const char *name; /* in the mapping, not NUL-terminated */
    size_t name_length;
    uint64_t size, stored_size; /* of the content, and of what the archive holds */
    uint64_t header_offset;
    uint32_t crc;
    unsigned method, flags;
};

struct df_zip {
    const struct df_mapping *mapping;
    struct df_zip_entry *entries; /* sorted by name; no name occurs twice */
    size_t count;
};

/* Reads the central directory. The mapping stays the caller's and must outlive the archive. */
struct df_zip *df_zip_open(const struct df_mapping *mapping);
void df_zip_close(struct df_zip *zip);

/* NULL when there is none of that name; sets no error. */
const struct df_zip_entry *df_zip_find(const struct df_zip *zip, const char *name);

/* -1 with the error set where reading the entry would fail before any of it is looked at: encrypted, packed
 * by another method, of a size that cannot be, or beyond the limit. */
int df_zip_check(const struct df_zip *zip, const struct df_zip_entry *entry, uint64_t inflate_limit);

/* The content of an entry, its CRC checked: *bytes points to entry->size bytes. They lie in the mapping if
 * the entry is stored, and *owned is NULL; if it is deflated they are inflated into *owned, which the caller
 * frees. An entry that would inflate to more than inflate_limit bytes is refused before any of it is
 * allocated. */
int df_zip_read(const struct df_zip *zip, const struct df_zip_entry *entry, uint64_t inflate_limit,
                const void **bytes, void **owned);

/* Sizes and offsets from here on take a zip64 field. Tests pass less, to meet zip64 without a file of 4 GiB.
 */
#define DF_ZIP64_FROM UINT32_MAX

struct df_zip_writer;

/* Starts an archive at the stream's beginning. Its entries are laid out as PyTorch's writer does it: stored,
 * each content at a multiple of 64 bytes (a padding field "FB" in the local header sees to that), CRC and
 * sizes in a data descriptor after it. PyTorch computes storage offsets from that layout where it is told to.
 */
struct df_zip_writer *df_zip_writer_new(FILE *stream, uint64_t zip64_from);
void df_zip_writer_free(struct df_zip_writer *writer);

int df_zip_add(struct df_zip_writer *writer, const char *name, const void *bytes, size_t size);

/* Writes the central directory; nothing can be added after it. The stream stays open. */
int df_zip_finish(struct df_zip_writer *writer);

/* Forty digits that depend on the names and contents added so far. */
#define DF_ZIP_DIGEST_SIZE 41
void df_zip_digest(const struct df_zip_writer *writer, char text[DF_ZIP_DIGEST_SIZE]);

#endif
