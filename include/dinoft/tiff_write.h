/* TIFFs that are written in parts, in tiles of 256 x 256 pixels that are compressed (deflate): BigTIFF where
 * 4 GB may not be enough. They appear whole or not at all, as of dinoft/atomic_write.h. */
#ifndef DINOFT_TIFF_WRITE_H
#define DINOFT_TIFF_WRITE_H

#include "dinoft/image.h"

#define DF_TIFF_TILE       256
#define DF_TIFF_BANDS_MOST 256

struct df_geo_tags;

/* What of a TIFF a mask keeps: where it lies on the earth, and the size of its pixels. NULL with the error
 * set, which names the file, where it is no TIFF that can be read. */
struct df_geo_tags *df_geo_tags_read(const char *path);
void df_geo_tags_free(struct df_geo_tags *tags); /* NULL is allowed */

struct df_tiff_kind {
    int64_t width, height;
    int bands, bits;               /* of unsigned values: 8 or 16 */
    const uint8_t (*palette)[3];   /* [256] colours of the values of one band of 8 bits; NULL: grey */
    char *const *band_names;       /* [bands]; NULL: none */
    const struct df_geo_tags *geo; /* NULL: none */
    int none;                      /* the value that means "nothing there"; negative: no value does */
};

struct df_tiff_writer;

/* Begins the file. NULL with the error set, which names it. The kind's pointers are not kept. */
struct df_tiff_writer *df_tiff_writer_open(const char *path, const struct df_tiff_kind *kind);

/* A part of a band (from 0 on): it begins at a tile's corner and ends with a tile or the image. values: its
 * first pixel's, uint8 or uint16; `step` values from one pixel to the next, rows without gaps. Each tile of
 * each band is written once. -1 with the error set. */
int df_tiff_writer_put(struct df_tiff_writer *writer, const struct df_image_part *part, int band,
                       const void *values, int64_t step);

/* Ends the file, and frees. -1 with the error set: then there is none. */
int df_tiff_writer_commit(struct df_tiff_writer *writer);
void df_tiff_writer_abort(struct df_tiff_writer *writer); /* NULL is allowed; keeps the error text */

#endif
