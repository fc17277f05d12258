/* The records of an event file (dinoft/event_file.h): an event's length, a checksum of that, the event, a
 * checksum of it. The framing is TensorFlow's TFRecord, an event the message Event of its event.proto. */
#ifndef FILES_EVENT_RECORD_H
#define FILES_EVENT_RECORD_H

#include "dinoft/event_file.h"

#include "byte_buffer.h"

#include <stdint.h>

/* Fields of the messages that are read and written here. */
enum {
    DF_EVENT_WALL_TIME = 1,
    DF_EVENT_STEP = 2,
    DF_EVENT_FILE_VERSION = 3,
    DF_EVENT_SUMMARY = 5,
    DF_EVENT_SESSION_LOG = 7
};

/* A record: its event's fields are what is put between begin, which says where it starts, and end. */
size_t df_event_record_begin(struct df_byte_buffer *out);
void df_event_record_end(struct df_byte_buffer *out, size_t start);

struct df_event_scan {
    size_t kept;       /* bytes of the whole records before the first that may not stay */
    int64_t summaries; /* how many of these records show something */
    int64_t last_step; /* of these; 0: there are none */
    bool damaged;      /* what follows is no record, or not whole */
};

/* Any bytes may be given. left: what may stay; its events become as many as these bytes leave of it. */
struct df_event_scan df_event_records_scan(const unsigned char *bytes, size_t size,
                                           struct df_event_place *left);

#endif
