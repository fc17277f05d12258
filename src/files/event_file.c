#include "dinoft/event_file.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "event_folder.h"
#include "event_record.h"
#include "protobuf_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PENDING_MOST ((size_t)64 << 10) /* bytes that wait in memory */
#define NAMES_MOST   1000               /* that one process takes in a second */

/* Fields and values of TensorFlow's event.proto, summary.proto, tensor.proto and tensor_shape.proto. */
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, METADATA_DESCRIPTION = 3, METADATA_DATA_CLASS = 4 };
enum { PLUGIN_NAME = 1 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORSPACE = 3, IMAGE_ENCODED = 4 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_STRING = 8 };
enum { SESSION_STATUS = 1, SESSION_START = 1 };
enum { COLORSPACE_RGB = 3, TYPE_STRING = 7, DATA_CLASS_TENSOR = 2, DATA_CLASS_BLOBS = 3 };

struct df_event_file {
    char *path;
    int descriptor;
    struct df_byte_buffer pending; /* whole records, and the one that is being made */
    struct df_event_place place;
    int reason; /* errno of the write that failed; 0: none */
};

static int cannot_write(const struct df_event_file *file)
{
    return df_error_set("cannot write %s: %s", file->path, strerror(file->reason));
}

static double wall_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int df_event_file_flush(struct df_event_file *file)
{
    size_t done = 0;

    while (file->reason == 0 && done < file->pending.size) {
        const ssize_t written =
            write(file->descriptor, file->pending.bytes + done, file->pending.size - done);
        if (written > 0)
            done += (size_t)written;
        else if (written == 0 || errno != EINTR)
            file->reason = written == 0 ? EIO : errno;
    }
    file->pending.size = 0;
    return file->reason == 0 ? 0 : cannot_write(file);
}

int df_event_file_sync(struct df_event_file *file)
{
    DF_TRY(df_event_file_flush(file));
    if (df_sync(file->descriptor) != 0)
        file->reason = errno;
    return file->reason == 0 ? 0 : cannot_write(file);
}

/* Begins a record with what all events have. */
static size_t begin_event(struct df_event_file *file, int64_t step)
{
    const size_t start = df_event_record_begin(&file->pending);

    df_pb_put_double(&file->pending, DF_EVENT_WALL_TIME, wall_time());
    if (step != 0)
        df_pb_put_varint(&file->pending, DF_EVENT_STEP, (uint64_t)step);
    return start;
}

/* A record that there was no memory for leaves nothing behind. */
static int end_event(struct df_event_file *file, size_t start)
{
    df_event_record_end(&file->pending, start);
    const int status = df_byte_buffer_check(&file->pending, "an event");
    if (status != 0) {
        file->pending.size = start;
        file->pending.failed = false;
    }
    if (status == 0 && (file->reason != 0 || file->pending.size > PENDING_MOST))
        return df_event_file_flush(file);
    return status;
}

/* An event that shows something: its values are put between the two. */
struct summary {
    size_t record, summary;
};

static struct summary begin_summary(struct df_event_file *file, int64_t step)
{
    struct summary summary;

    assert(step >= file->place.step);
    if (step > file->place.step)
        file->place = (struct df_event_place){.step = step};
    file->place.events++;
    summary.record = begin_event(file, step);
    summary.summary = df_pb_begin(&file->pending, DF_EVENT_SUMMARY);
    return summary;
}

static int end_summary(struct df_event_file *file, const struct summary *summary)
{
    df_pb_end(&file->pending, summary->summary);
    return end_event(file, summary->record);
}

static void put_text(struct df_byte_buffer *out, uint32_t number, const char *text)
{
    char *valid = df_text_valid(text);

    if (valid)
        df_pb_put_text(out, number, valid);
    else
        out->failed = true;
    free(valid);
}

static size_t begin_value(struct df_byte_buffer *out, const char *tag)
{
    const size_t value = df_pb_begin(out, SUMMARY_VALUE);

    put_text(out, VALUE_TAG, tag);
    return value;
}

/* Scalars and images have fields of their own since TensorBoard's first versions: shorter than the tensors
 * that newer programs write, and read by everything. Texts never had one. */
int df_event_file_scalars(struct df_event_file *file, int64_t step, const struct df_event_scalar *scalars,
                          size_t count)
{
    const struct summary summary = begin_summary(file, step);

    for (size_t i = 0; i < count; i++) {
        const size_t value = begin_value(&file->pending, scalars[i].tag);
        df_pb_put_float(&file->pending, VALUE_SIMPLE, (float)scalars[i].value);
        df_pb_end(&file->pending, value);
    }
    return end_summary(file, &summary);
}

static void put_picture(struct df_byte_buffer *out, const struct df_event_image *image)
{
    const size_t picture = df_pb_begin(out, VALUE_IMAGE);

    df_pb_put_varint(out, IMAGE_HEIGHT, (uint64_t)image->height);
    df_pb_put_varint(out, IMAGE_WIDTH, (uint64_t)image->width);
    df_pb_put_varint(out, IMAGE_COLORSPACE, COLORSPACE_RGB);
    df_pb_put_bytes(out, IMAGE_ENCODED, image->png, image->bytes);
    df_pb_end(out, picture);
}

/* What a value is for, which the plugin of that name shows. */
static size_t begin_metadata(struct df_byte_buffer *out, const char *plugin_name, uint64_t data_class)
{
    const size_t metadata = df_pb_begin(out, VALUE_METADATA), plugin = df_pb_begin(out, METADATA_PLUGIN);

    df_pb_put_text(out, PLUGIN_NAME, plugin_name);
    df_pb_end(out, plugin);
    df_pb_put_varint(out, METADATA_DATA_CLASS, data_class);
    return metadata;
}

int df_event_file_image(struct df_event_file *file, int64_t step, const struct df_event_image *image)
{
    struct df_byte_buffer *out = &file->pending;
    const struct summary summary = begin_summary(file, step);
    const size_t value = begin_value(out, image->tag);

    put_picture(out, image);
    if (image->description) {
        const size_t metadata = begin_metadata(out, "images", DATA_CLASS_BLOBS);
        put_text(out, METADATA_DESCRIPTION, image->description);
        df_pb_end(out, metadata);
    }
    df_pb_end(out, value);
    return end_summary(file, &summary);
}

/* A tensor of one string, without dimensions: with some, TensorBoard would draw a table around it. */
static void put_text_tensor(struct df_byte_buffer *out, const char *markdown)
{
    const size_t tensor = df_pb_begin(out, VALUE_TENSOR);

    df_pb_put_varint(out, TENSOR_TYPE, TYPE_STRING);
    df_pb_end(out, df_pb_begin(out, TENSOR_SHAPE));
    put_text(out, TENSOR_STRING, markdown);
    df_pb_end(out, tensor);
}

int df_event_file_text(struct df_event_file *file, int64_t step, const char *tag, const char *markdown)
{
    struct df_byte_buffer *out = &file->pending;
    const struct summary summary = begin_summary(file, step);
    const size_t value = begin_value(out, tag), metadata = begin_metadata(out, "text", DATA_CLASS_TENSOR);

    df_pb_end(out, metadata);
    put_text_tensor(out, markdown);
    df_pb_end(out, value);
    return end_summary(file, &summary);
}

static int put_version(struct df_event_file *file)
{
    const size_t start = begin_event(file, 0);

    df_pb_put_text(&file->pending, DF_EVENT_FILE_VERSION, "brain.Event:2");
    return end_event(file, start);
}

/* Has a TensorBoard that is open forget what it has read of the step and those behind it, if there was a
 * start before: so a new run has one, too. */
static int put_start(struct df_event_file *file, int64_t step)
{
    const size_t start = begin_event(file, step), log = df_pb_begin(&file->pending, DF_EVENT_SESSION_LOG);

    df_pb_put_varint(&file->pending, SESSION_STATUS, SESSION_START);
    df_pb_end(&file->pending, log);
    return end_event(file, start);
}

static void free_file(struct df_event_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    df_byte_buffer_clear(&file->pending);
    free(file->path);
    free(file);
}

/* A new name, behind all others of the folder. */
static int create(struct df_event_file *file, const char *folder, int64_t newest)
{
    const int64_t time_of = df_max_i64((int64_t)time(NULL), newest + 1);

    for (int number = 0; number < NAMES_MOST && file->descriptor < 0; number++) {
        free(file->path);
        file->path = df_event_folder_path(folder, time_of, number);
        if (!file->path)
            return -1;
        file->descriptor = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->descriptor < 0 && errno != EEXIST)
            break;
    }
    file->reason = file->descriptor < 0 ? errno : 0;
    return file->reason == 0 ? 0 : cannot_write(file);
}

/* first: the file's first step. */
static struct df_event_file *begin(const char *folder, int64_t first, int64_t newest)
{
    struct df_event_file *file = calloc(1, sizeof *file);

    if (!file) {
        df_error_memory("an event file", sizeof *file);
        return NULL;
    }
    file->descriptor = -1;
    if (create(file, folder, newest) == 0 && put_version(file) == 0 && put_start(file, first) == 0 &&
        df_event_file_flush(file) == 0)
        return file;
    if (file->descriptor >= 0)
        unlink(file->path);
    free_file(file);
    return NULL;
}

struct df_event_file *df_event_file_open(const char *folder)
{
    return df_make_folder(folder) == 0 ? begin(folder, 0, 0) : NULL;
}

struct df_event_file *df_event_file_continue(const char *folder, const struct df_event_place *place,
                                             const char *name)
{
    int64_t newest;

    if (df_make_folder(folder) != 0 || (name && df_event_folder_check(folder, name) != 0) ||
        df_event_folder_cut(folder, place, &newest) != 0)
        return NULL;
    struct df_event_file *file = begin(folder, place->step + 1, newest);
    if (file)
        file->place = *place;
    return file;
}

const char *df_event_file_name(const struct df_event_file *file)
{
    return strrchr(file->path, '/') + 1;
}

struct df_event_place df_event_file_place(const struct df_event_file *file)
{
    return file->place;
}

int df_event_file_close(struct df_event_file *file)
{
    if (!file)
        return 0;
    int status = file->reason == 0 ? df_event_file_flush(file) : 0;
    const int descriptor = file->descriptor;
    file->descriptor = -1;
    if (close(descriptor) != 0 && file->reason == 0) {
        file->reason = errno;
        status = cannot_write(file);
    }
    free_file(file);
    return status;
}
