/* Event files, which TensorBoard shows as curves, pictures and texts.
 *
 * A folder is one run to TensorBoard, whatever files are in it. Ours are called
 * events.out.tfevents.TIME.HOST.PROCESS.NUMBER.dinoft; other programs' are left alone. A file is begun by the
 * call that opens it, in a folder that is made if it is missing: open it when there is something to write,
 * and df_check_writable() (dinoft/atomic_write.h) checks before long work.
 *
 * Steps never decrease from one event to the next. Tags, descriptions and texts of any bytes are written as
 * df_text_valid() says. After a failure to write (a full disk, …) every further call fails with the same
 * error. */
#ifndef DINOFT_EVENT_FILE_H
#define DINOFT_EVENT_FILE_H

#include <stddef.h>
#include <stdint.h>

struct df_event_file;

/* -1 with the error set, and the advice behind it, where there are event files of ours already: a new run
 * would be drawn over the one that wrote them. */
int df_event_files_check_none(const char *folder, const char *advice);

/* Removes those. */
int df_event_files_remove(const char *folder);

/* A new run. NULL with the error set. */
struct df_event_file *df_event_file_open(const char *folder);

/* How far a run's events are: those of steps before this one, and so many of its own. */
struct df_event_place {
    int64_t step; /* the first is 1 */
    int64_t events;
};

/* Of what was written last. */
struct df_event_place df_event_file_place(const struct df_event_file *file);

/* "events.out.tfevents.1796050553.host.27508.0.dinoft" */
const char *df_event_file_name(const struct df_event_file *file);

/* Goes on behind a place of the run that wrote the folder's files, the one of that name last; where they are
 * of another run, it is not there, and that is an error. NULL for the name: it is not known. They lose all
 * that comes after it, and what is damaged or half-written, as by a killed process: a log line says so where
 * that may have been of steps before it, or where there are no files. Later events come into a new file: what
 * TensorBoard shows goes on, also where it is open all the while. NULL with the error set. */
struct df_event_file *df_event_file_continue(const char *folder, const struct df_event_place *place,
                                             const char *name);

struct df_event_scalar {
    const char *tag; /* TensorBoard groups tags by what is before the first slash */
    double value;    /* rounded to a float; NaN and infinities are written as they are */
};

/* One record with all of them. */
int df_event_file_scalars(struct df_event_file *file, int64_t step, const struct df_event_scalar *scalars,
                          size_t count);

struct df_event_image {
    const char *tag, *description; /* description: Markdown, or NULL */
    const void *png;               /* the file's bytes */
    size_t bytes;
    int64_t width, height; /* pixels */
};

int df_event_file_image(struct df_event_file *file, int64_t step, const struct df_event_image *image);
int df_event_file_text(struct df_event_file *file, int64_t step, const char *tag, const char *markdown);

/* Events are collected in memory, up to some ten kilobytes. This writes them, for those who watch. */
int df_event_file_flush(struct df_event_file *file);

/* The same, and they are on the disk: before a state is saved that df_event_file_continue() will follow. */
int df_event_file_sync(struct df_event_file *file);

/* Flushes and frees; NULL is allowed. -1 with the error set where events are lost that no call has told of.
 */
int df_event_file_close(struct df_event_file *file);

#endif
