/* An open PNG, for what reads its pixels. */
#ifndef DINOFT_DATA_PNG_FILE_H
#define DINOFT_DATA_PNG_FILE_H

#include <stddef.h>

#include <spng.h>

/* Reads the header, and checks its size against the file's. NULL with the error set; closed with
 * spng_ctx_free(). */
spng_ctx *df_png_open(const unsigned char *bytes, size_t size, struct spng_ihdr *header);

/* Decodes everything up to the file's last chunk, so that a cut or damaged file is noticed, into so many
 * bytes. flags: libspng's. -1 with the error set. */
int df_png_decode_all(spng_ctx *png, void *pixels, size_t bytes, int format, int flags);

#endif
