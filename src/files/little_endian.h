/* Little-endian integers in byte strings. */
#ifndef FILES_LITTLE_ENDIAN_H
#define FILES_LITTLE_ENDIAN_H

#include <stdint.h>

/* The unsigned integer of `size` (at most 8) bytes. */
static inline uint64_t df_le_get(const unsigned char *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

/* Writes the low `size` bytes of value and returns a pointer behind them. */
static inline unsigned char *df_le_put(unsigned char *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    return bytes + size;
}

#endif
