#include "event_record.h"

#include "crc32c.h"
#include "little_endian.h"
#include "protobuf.h"

#define LENGTH_BYTES   8
#define CHECKSUM_BYTES 4
#define HEADER_BYTES   (LENGTH_BYTES + CHECKSUM_BYTES)

/* So that the checksum of bytes which hold checksums themselves is no odd one. */
static uint32_t masked_checksum(const unsigned char *bytes, size_t size)
{
    const uint32_t crc = df_crc32c(bytes, size);

    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

size_t df_event_record_begin(struct df_byte_buffer *out)
{
    const size_t start = out->size;

    df_byte_buffer_grow(out, HEADER_BYTES);
    return start;
}

void df_event_record_end(struct df_byte_buffer *out, size_t start)
{
    unsigned char *checksum = df_byte_buffer_grow(out, CHECKSUM_BYTES);

    if (!checksum)
        return;
    unsigned char *header = out->bytes + start, *event = header + HEADER_BYTES;
    const size_t size = (size_t)(checksum - event);
    df_le_put(header, LENGTH_BYTES, size);
    df_le_put(header + LENGTH_BYTES, CHECKSUM_BYTES, masked_checksum(header, LENGTH_BYTES));
    df_le_put(checksum, CHECKSUM_BYTES, masked_checksum(event, size));
}

/* Takes the next record off the front. */
static bool take_record(struct df_pb_bytes *rest, struct df_pb_bytes *event)
{
    if (rest->size < HEADER_BYTES + CHECKSUM_BYTES)
        return false;
    const uint64_t size = df_le_get(rest->at, LENGTH_BYTES);
    if (df_le_get(rest->at + LENGTH_BYTES, CHECKSUM_BYTES) != masked_checksum(rest->at, LENGTH_BYTES) ||
        size > rest->size - HEADER_BYTES - CHECKSUM_BYTES)
        return false;
    *event = (struct df_pb_bytes){rest->at + HEADER_BYTES, (size_t)size};
    const unsigned char *end = event->at + event->size;
    if (df_le_get(end, CHECKSUM_BYTES) != masked_checksum(event->at, event->size))
        return false;
    rest->size -= HEADER_BYTES + event->size + CHECKSUM_BYTES;
    rest->at = end + CHECKSUM_BYTES;
    return true;
}

static bool read_event(struct df_pb_bytes event, int64_t *step, bool *shows)
{
    struct df_pb_field field;
    int found;

    *step = 0; /* it is left out then */
    *shows = false;
    while ((found = df_pb_next(&event, &field)) > 0) {
        if (df_pb_is(&field, DF_EVENT_STEP, DF_PB_VARINT))
            *step = (int64_t)field.value;
        *shows = *shows || df_pb_is(&field, DF_EVENT_SUMMARY, DF_PB_BYTES);
    }
    return found == 0;
}

static bool may_stay(const struct df_event_place *left, int64_t step)
{
    return step < left->step || (step == left->step && left->events > 0);
}

struct df_event_scan df_event_records_scan(const unsigned char *bytes, size_t size,
                                           struct df_event_place *left)
{
    struct df_event_scan scan = {0};
    struct df_pb_bytes rest = {bytes, size}, event;
    int64_t step_of;
    bool shows;

    while (rest.size > 0 && !scan.damaged) {
        if (!take_record(&rest, &event) || !read_event(event, &step_of, &shows)) {
            scan.damaged = true;
        } else if (shows && !may_stay(left, step_of)) {
            break;
        } else {
            scan.kept = size - rest.size;
            scan.summaries += shows;
            left->events -= shows && step_of == left->step;
            if (shows)
                scan.last_step = step_of;
        }
    }
    return scan;
}
