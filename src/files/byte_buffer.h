/* Bytes in memory that grow at their end. A failure (there is only one: no memory) is kept until
 * df_byte_buffer_check(), so that the calls before it need none: they do nothing then. Start from {0}. */
#ifndef FILES_BYTE_BUFFER_H
#define FILES_BYTE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct df_byte_buffer {
    unsigned char *bytes;
    size_t size, capacity;
    bool failed;
};

/* Makes the buffer `size` bytes longer. Where they begin, or NULL; valid until the next call. */
unsigned char *df_byte_buffer_grow(struct df_byte_buffer *buffer, size_t size);
void df_byte_buffer_put(struct df_byte_buffer *buffer, const void *bytes, size_t size);

/* -1 with the error set if any call failed; what: names the bytes in it. */
int df_byte_buffer_check(const struct df_byte_buffer *buffer, const char *what);
void df_byte_buffer_clear(struct df_byte_buffer *buffer);

#endif
