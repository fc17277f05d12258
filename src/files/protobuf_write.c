#include "protobuf_write.h"

#include "little_endian.h"
#include "protobuf.h"

#include <string.h>

#define VARINT_MOST 10 /* bytes of 64 bits, 7 in each */

static size_t encode(unsigned char bytes[VARINT_MOST], uint64_t value)
{
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    return size;
}

static void put_varint(struct df_byte_buffer *out, uint64_t value)
{
    unsigned char bytes[VARINT_MOST];

    df_byte_buffer_put(out, bytes, encode(bytes, value));
}

static void put_key(struct df_byte_buffer *out, uint32_t number, enum df_pb_wire wire)
{
    put_varint(out, (uint64_t)number << 3 | wire);
}

static void put_fixed(struct df_byte_buffer *out, unsigned size, uint64_t value)
{
    unsigned char bytes[8];

    df_le_put(bytes, size, value);
    df_byte_buffer_put(out, bytes, size);
}

void df_pb_put_varint(struct df_byte_buffer *out, uint32_t number, uint64_t value)
{
    put_key(out, number, DF_PB_VARINT);
    put_varint(out, value);
}

void df_pb_put_double(struct df_byte_buffer *out, uint32_t number, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(out, number, DF_PB_64_BIT);
    put_fixed(out, sizeof bits, bits);
}

void df_pb_put_float(struct df_byte_buffer *out, uint32_t number, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(out, number, DF_PB_32_BIT);
    put_fixed(out, sizeof bits, bits);
}

void df_pb_put_bytes(struct df_byte_buffer *out, uint32_t number, const void *bytes, size_t size)
{
    put_key(out, number, DF_PB_BYTES);
    put_varint(out, size);
    df_byte_buffer_put(out, bytes, size);
}

void df_pb_put_text(struct df_byte_buffer *out, uint32_t number, const char *text)
{
    df_pb_put_bytes(out, number, text, strlen(text));
}

size_t df_pb_begin(struct df_byte_buffer *out, uint32_t number)
{
    put_key(out, number, DF_PB_BYTES);
    return out->size;
}

/* The length goes in front of the message, which moves by as many bytes. */
void df_pb_end(struct df_byte_buffer *out, size_t start)
{
    unsigned char length[VARINT_MOST];
    const size_t size = out->size - start, added = encode(length, size);

    if (!df_byte_buffer_grow(out, added))
        return;
    memmove(out->bytes + start + added, out->bytes + start, size);
    memcpy(out->bytes + start, length, added);
}
