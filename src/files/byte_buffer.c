#include "byte_buffer.h"

#include "dinoft/error.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEP 4096

static bool reserve(struct df_byte_buffer *buffer, size_t size)
{
    if (size <= buffer->capacity - buffer->size)
        return true;
    if (size > (SIZE_MAX - STEP) / 2 - buffer->capacity)
        return false;
    const size_t capacity = 2 * (buffer->capacity + size) + STEP;
    unsigned char *grown = realloc(buffer->bytes, capacity);
    if (!grown)
        return false;
    buffer->bytes = grown;
    buffer->capacity = capacity;
    return true;
}

unsigned char *df_byte_buffer_grow(struct df_byte_buffer *buffer, size_t size)
{
    if (buffer->failed || !reserve(buffer, size)) {
        buffer->failed = true;
        return NULL;
    }
    buffer->size += size;
    return buffer->bytes + buffer->size - size;
}

void df_byte_buffer_put(struct df_byte_buffer *buffer, const void *bytes, size_t size)
{
    unsigned char *at = size > 0 ? df_byte_buffer_grow(buffer, size) : NULL;

    if (at)
        memcpy(at, bytes, size);
}

int df_byte_buffer_check(const struct df_byte_buffer *buffer, const char *what)
{
    return buffer->failed ? df_error_memory(what, 2 * (unsigned long long)buffer->capacity) : 0;
}

void df_byte_buffer_clear(struct df_byte_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct df_byte_buffer){0};
}
