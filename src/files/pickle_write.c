#include "pickle.h"
#include "little_endian.h"
#include "pickle_opcodes.h"

#include <string.h>

/* An opcode and its argument, an integer of `width` bytes. */
static void put_op(struct df_pickle_writer *writer, unsigned char opcode, unsigned width, uint64_t argument)
{
    unsigned char bytes[9] = {opcode};
    df_le_put(bytes + 1, width, argument);
    df_byte_buffer_put(&writer->out, bytes, 1 + width);
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
        df_byte_buffer_put(&writer->out, bytes, width);
    }
}

void df_pickle_text(struct df_pickle_writer *writer, const char *text)
{
    size_t length = strlen(text);
    put_op(writer, PICKLE_BINUNICODE, 4, length);
    df_byte_buffer_put(&writer->out, text, length);
}

void df_pickle_name(struct df_pickle_writer *writer, const char *module, const char *name)
{
    df_pickle_op(writer, PICKLE_GLOBAL);
    df_byte_buffer_put(&writer->out, module, strlen(module));
    df_byte_buffer_put(&writer->out, "\n", 1);
    df_byte_buffer_put(&writer->out, name, strlen(name));
    df_byte_buffer_put(&writer->out, "\n", 1);
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
    return df_byte_buffer_check(&writer->out, "a pickle");
}

void df_pickle_writer_clear(struct df_pickle_writer *writer)
{
    df_byte_buffer_clear(&writer->out);
    writer->memo_count = 0;
}
