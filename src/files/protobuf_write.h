/* Writing protobuf's wire format (protobuf.h reads it): fields one behind the other, at the end of a buffer,
 * whose df_byte_buffer_check() says whether all went well. */
#ifndef FILES_PROTOBUF_WRITE_H
#define FILES_PROTOBUF_WRITE_H

#include "byte_buffer.h"

#include <stdint.h>

/* Each is one field with its number. Negative numbers (int32, int64) are cast to uint64_t. */
void df_pb_put_varint(struct df_byte_buffer *out, uint32_t number, uint64_t value);
void df_pb_put_double(struct df_byte_buffer *out, uint32_t number, double value);
void df_pb_put_float(struct df_byte_buffer *out, uint32_t number, float value);
void df_pb_put_bytes(struct df_byte_buffer *out, uint32_t number, const void *bytes, size_t size);

/* UTF-8, which readers insist on. */
void df_pb_put_text(struct df_byte_buffer *out, uint32_t number, const char *text);

/* A sub-message: its fields are what is put between begin, which says where it starts, and end. */
size_t df_pb_begin(struct df_byte_buffer *out, uint32_t number);
void df_pb_end(struct df_byte_buffer *out, size_t start);

#endif
