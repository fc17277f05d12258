/* CRC-32C (Castagnoli), as RFC 3720 and the records of TensorFlow have it. zlib's CRC-32 is another
 * polynomial. */
#ifndef FILES_CRC32C_H
#define FILES_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t df_crc32c(const void *bytes, size_t size);

#endif
