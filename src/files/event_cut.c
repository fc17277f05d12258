#include "event_folder.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/mapped_file.h"
#include "event_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* On the disk before later events are: a machine that goes down in between must not leave steps twice. */
static int truncate_durably(const char *path, size_t size)
{
    const int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    const int status =
        descriptor >= 0 && ftruncate(descriptor, (off_t)size) == 0 && df_sync(descriptor) == 0 ? 0 : -1;

    if (status != 0)
        df_error_set("cannot cut %s: %s", path, strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

/* *shows: whether anything of the file stays. */
static int cut_file(const char *path, struct df_event_place *left, bool *shows)
{
    struct df_mapping *mapping = df_mapping_open(path);

    if (!mapping)
        return -1;
    const size_t size = mapping->size;
    const struct df_event_scan scan = df_event_records_scan(mapping->bytes, size, left);
    df_mapping_close(mapping);
    *shows = scan.summaries > 0;
    if (scan.damaged)
        df_log(
            "warning: the last %zu bytes of %s are damaged or half-written, and are cut away: it has steps "
            "up to %" PRId64 " of %" PRId64,
            size - scan.kept, path, scan.last_step, left->step);
    if (!*shows && unlink(path) != 0)
        return df_error_set("cannot remove %s: %s", path, strerror(errno));
    return *shows && scan.kept < size ? truncate_durably(path, scan.kept) : 0;
}

int df_event_folder_cut(const char *path, const struct df_event_place *place, int64_t *newest)
{
    struct df_event_place left = *place;
    struct df_event_folder ours;
    int status = df_event_folder_list(path, &ours);
    bool any = false;

    *newest = ours.newest;
    for (size_t i = 0; status == 0 && i < ours.count; i++) {
        bool shows;
        status = cut_file(ours.paths[i], &left, &shows);
        any = any || (status == 0 && shows);
    }
    if (status == 0 && !any && place->step > 0)
        df_log(
            "warning: %s has no events of the steps before: TensorBoard shows what comes after step %" PRId64,
            path, place->step);
    df_event_folder_clear(&ours);
    return status;
}
