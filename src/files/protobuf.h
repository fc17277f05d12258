/* Reading protobuf's wire format: a message is a row of fields, each a number, a wire type and a value.
 * Nothing is copied; a sub-message or a string is a piece of the bytes. */
#ifndef FILES_PROTOBUF_H
#define FILES_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum df_pb_wire { DF_PB_VARINT = 0, DF_PB_64_BIT = 1, DF_PB_BYTES = 2, DF_PB_32_BIT = 5 };

struct df_pb_bytes {
    const unsigned char *at;
    size_t size;
};

struct df_pb_field {
    uint32_t number;
    enum df_pb_wire wire;
    uint64_t value;           /* DF_PB_VARINT, DF_PB_64_BIT, DF_PB_32_BIT */
    struct df_pb_bytes bytes; /* DF_PB_BYTES; for the fixed-width types their bytes, too */
};

/* Takes the next varint off the front. -1 with the error set when there is none whole. */
int df_pb_varint(struct df_pb_bytes *rest, uint64_t *value);

/* Takes the next field off the front. 1, 0 at the end of the message, -1 with the error set for damaged
 * bytes. */
int df_pb_next(struct df_pb_bytes *rest, struct df_pb_field *field);

static inline bool df_pb_is(const struct df_pb_field *field, uint32_t number, enum df_pb_wire wire)
{
    return field->number == number && field->wire == wire;
}

#endif
