#include "pickle.h"
#include "little_endian.h"
#include "pickle_opcodes.h"

#include "dinoft/error.h"

#include <stdlib.h>
#include <string.h>

static void put(struct df_pickle_writer *writer, const void *bytes, size_t size)
{
    if (writer->failed || size == 0)
        return;
    if (size > writer->capacity - writer->size) {
        size_t capacity = 2 * (writer->capacity + size) + 4096;
        unsigned char *grown = realloc(writer->bytes, capacity);
        if (!grown) {
            writer->failed = true;
            return;
        }
        writer->bytes = grown;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

/* An opcode and its argument, an integer of `width` bytes. */
static void put_op(struct df_pickle_writer *writer, unsigned char opcode, unsigned width, uint64_t argument)
{
    unsigned char bytes[9] = {opcode};
    df_le_put(bytes + 1, width, argument);
    put(writer, bytes, 1 + width);
}

void df_pickle_op(struct df_pickle_writer *writer, unsigned char opcode)
{
    put_op(writer, opcode, 0, 0);
}

void df_pickle_protocol(struct df_pickle_writer *writer, int protocol)
{
    put_op(writer, PICKLE_PROTO, 1, (uint64_t)protocol);
}

void df_pickle_int(struct df_pickle_writer *writer, int64_t value)
{
    if (value >= 0 && value <= UINT8_MAX) {
        put_op(writer, PICKLE_BININT1, 1, (uint64_t)value);
    } else if (value >= 0 && value <= UINT16_MAX) {
        put_op(writer, PICKLE_BININT2, 2, (uint64_t)value);
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
        put_op(writer, PICKLE_BININT, 4, (uint64_t)value);
    } else {
        unsigned width = 5; /* the fewest bytes that hold the value and its sign */
        while (width < 8 && value >> (8 * width - 1) != 0 && value >> (8 * width - 1) != -1)
            width++;
        put_op(writer, PICKLE_LONG1, 1, width);
        unsigned char bytes[8];
        df_le_put(bytes, width, (uint64_t)value);
        put(writer, bytes, width);
    }
}

void df_pickle_text(struct df_pickle_writer *writer, const char *text)
{
    size_t length = strlen(text);
    put_op(writer, PICKLE_BINUNICODE, 4, length);
    put(writer, text, length);
}

void df_pickle_name(struct df_pickle_writer *writer, const char *module, const char *name)
{
    df_pickle_op(writer, PICKLE_GLOBAL);
    put(writer, module, strlen(module));
    put(writer, "\n", 1);
    put(writer, name, strlen(name));
    put(writer, "\n", 1);
}

unsigned df_pickle_memoize(struct df_pickle_writer *writer)
{
    unsigned number = writer->memo_count++;
    if (number <= UINT8_MAX)
        put_op(writer, PICKLE_BINPUT, 1, number);
    else
        put_op(writer, PICKLE_LONG_BINPUT, 4, number);
    return number;
}

void df_pickle_get(struct df_pickle_writer *writer, unsigned number)
{
    if (number <= UINT8_MAX)
        put_op(writer, PICKLE_BINGET, 1, number);
    else
        put_op(writer, PICKLE_LONG_BINGET, 4, number);
}

int df_pickle_writer_check(const struct df_pickle_writer *writer)
{
    return writer->failed ? df_error_memory("a pickle", 2 * (unsigned long long)writer->capacity) : 0;
}

void df_pickle_writer_clear(struct df_pickle_writer *writer)
{
    free(writer->bytes);
    *writer = (struct df_pickle_writer){0};
}
