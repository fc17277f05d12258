/* Records of bytes, each written once and read often, in memory or in a file. What the bytes mean is the
 * affair of who keeps them. Several threads may take, write and read, each records of its own. */
#ifndef DINOFT_RECORD_STORE_H
#define DINOFT_RECORD_STORE_H

#include <stddef.h>
#include <stdint.h>

struct df_record_store;

/* A store for `count` records that have no slot yet. memory: bytes of it that they may take. folder: where
 * the others get a file without a name, which is made when it is needed and gone with the store, however the
 * process ends; NULL: there are no others. what: the records, in the plural, for messages. Both texts must
 * outlive the store. NULL with the error set. */
struct df_record_store *df_record_store_open(const char *what, int64_t count, size_t memory,
                                             const char *folder);

/* Instead of a file without a name: records get their slots in this one, from its first byte on. To be
 * called before any has one. The descriptor is the store's from now on. path: for messages; it must outlive
 * the store. */
void df_record_store_use_file(struct df_record_store *store, int descriptor, const char *path);

void df_record_store_close(struct df_record_store *store); /* NULL is allowed */

/* Slots for `count` records from `first` on, of so many bytes each: all in memory, whose pages are taken as
 * they are filled, or all in the file, one behind another. -1 with the error set. */
int df_record_store_take(struct df_record_store *store, int64_t first, int64_t count, size_t bytes);

/* Reserves disk space for all slots in the file. -1 with the error set. */
int df_record_store_reserve(const struct df_record_store *store);

/* Writes bytes of a record that has a slot, from its byte `start` on. -1 with the error set. */
int df_record_store_write(const struct df_record_store *store, int64_t record, size_t start,
                          const void *bytes, size_t size);

/* Bytes of a record that were written, from its byte `start` on: where they lie in memory, or a copy in
 * buffer. NULL with the error set. */
const void *df_record_store_read(const struct df_record_store *store, int64_t record, size_t start,
                                 size_t size, void *buffer);

/* The record will be read soon: the system may fetch it from the disk meanwhile. */
void df_record_store_expect(const struct df_record_store *store, int64_t record);

#endif
