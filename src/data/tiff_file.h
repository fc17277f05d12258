/* A TIFF or BigTIFF in memory or on a disk, as libtiff reads it. Errors go to the file's own struct: nothing
 * is shared between threads. */
#ifndef DINOFT_DATA_TIFF_FILE_H
#define DINOFT_DATA_TIFF_FILE_H

#include "samples.h"

#include <tiffio.h>

#define DF_TIFF_ERROR_TEXT   200
#define DF_TIFF_LARGE_SIDE   ((int64_t)1 << 20)           /* of a file that is read piece by piece */
#define DF_TIFF_LARGE_PIECE  (DF_IMAGE_MAX_PIXELS / 2)    /* bytes of its strips or tiles, decoded */
#define DF_TIFF_LARGE_PIXELS (DF_IMAGE_MAX_PIXELS * 1024) /* in all */

struct df_tiff {
    TIFF *file;
    const unsigned char *bytes; /* NULL: it is read from the descriptor, which stays the caller's */
    int descriptor;
    size_t size, position;
    void *raw;                      /* see df_tiff_prepare_tiles() */
    char error[DF_TIFF_ERROR_TEXT]; /* what libtiff reported; "": nothing */
    bool lost;                      /* pixels, though it read on */
    /* Of the first page: */
    int64_t width, height;
    int bands;   /* of a pixel, alpha among them */
    int colours; /* without an alpha that is the last of them */
    int bits;    /* of a value */
    int format;  /* SAMPLEFORMAT_… */
    int photometric, compression;
    bool separate; /* a plane for each band */
    int orientation;
};

/* Opens it and reads the header: a size or pieces that are too large are refused before memory is taken. -1
 * with the error set; close it in either case. */
int df_tiff_open(struct df_tiff *tiff, const unsigned char *bytes, size_t size);
/* The same of a file of `size` bytes that is read piece by piece: its size has other limits. */
int df_tiff_open_large(struct df_tiff *tiff, int descriptor, size_t size);
void df_tiff_close(struct df_tiff *tiff);

/* Before libtiff makes colours of tiles: those that are not compressed and come from a disk it takes only in
 * a buffer of exactly their size, and its own ones are rounded up. -1 with the error set. */
int df_tiff_prepare_tiles(struct df_tiff *tiff);

/* The size of its strips or tiles, none of which is larger than the image where they are strips. */
void df_tiff_piece_size(const struct df_tiff *tiff, int64_t *width, int64_t *height);

/* Sets the error: what libtiff reported. Returns -1. */
int df_tiff_fail(const struct df_tiff *tiff);

/* Whether a band is brightness. */
bool df_tiff_is_grey(const struct df_tiff *tiff);

/* Of its values: "floats". */
const char *df_tiff_format_name(const struct df_tiff *tiff);

/* Reads `count` (1 or 3) of the bands, numbered from 1 on, of a part that begins with a strip or tile, and
 * ends with one or with the image, as they are stored, not turned. Fills in and allocates samples. -1 with
 * the error set. */
int df_tiff_read_samples(struct df_tiff *tiff, const int *bands, int count, const struct df_image_part *part,
                         struct df_samples *samples);

/* Whether the page that is read is a smaller copy or a mask of another one: no image of its own. */
bool df_tiff_is_copy(const struct df_tiff *tiff);

/* Whether pages follow that are images of their own. No page can be read afterwards. */
bool df_tiff_has_more_pages(struct df_tiff *tiff);

#endif
