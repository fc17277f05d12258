#include "protobuf.h"

#include "dinoft/error.h"
#include "little_endian.h"

#include <inttypes.h>

int df_pb_varint(struct df_pb_bytes *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest->size == 0)
            return df_error_set("the file ends within a number: it is damaged or was cut short");
        unsigned char byte = *rest->at++;
        rest->size--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 0;
    }
    return df_error_set("a number of more than 64 bits: the file is damaged");
}

static int take(struct df_pb_bytes *rest, uint64_t size, struct df_pb_bytes *taken)
{
    if (size > rest->size)
        return df_error_set("a field of %" PRIu64
                            " bytes where %zu are left: the file is damaged or was cut short",
                            size, rest->size);
    taken->at = rest->at;
    taken->size = (size_t)size;
    rest->at += size;
    rest->size -= (size_t)size;
    return 0;
}

int df_pb_next(struct df_pb_bytes *rest, struct df_pb_field *field)
{
    uint64_t key, size;

    if (rest->size == 0)
        return 0;
    DF_TRY(df_pb_varint(rest, &key));
    if (key >> 3 == 0 || key >> 3 > UINT32_MAX)
        return df_error_set("a field with the impossible number %" PRIu64 ": the file is damaged", key >> 3);
    *field = (struct df_pb_field){.number = (uint32_t)(key >> 3), .wire = (enum df_pb_wire)(key & 7)};
    switch (field->wire) {
    case DF_PB_VARINT:
        return df_pb_varint(rest, &field->value) == 0 ? 1 : -1;
    case DF_PB_BYTES:
        DF_TRY(df_pb_varint(rest, &size));
        return take(rest, size, &field->bytes) == 0 ? 1 : -1;
    case DF_PB_64_BIT:
    case DF_PB_32_BIT:
        DF_TRY(take(rest, field->wire == DF_PB_64_BIT ? 8 : 4, &field->bytes));
        field->value = df_le_get(field->bytes.at, (unsigned)field->bytes.size);
        return 1;
    }
    return df_error_set("a field of the unknown wire type %d: the file is damaged", (int)(key & 7));
}
