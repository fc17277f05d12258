/* A TIFF or BigTIFF in memory, as libtiff reads it. Errors go to the file's own struct: nothing is shared
 * between threads. */
#ifndef DINOFT_DATA_TIFF_FILE_H
#define DINOFT_DATA_TIFF_FILE_H

#include "samples.h"

#include <tiffio.h>

#define DF_TIFF_ERROR_TEXT 200

struct df_tiff {
    TIFF *file;
    const unsigned char *bytes;
    size_t size, position;
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
void df_tiff_close(struct df_tiff *tiff);

/* Sets the error: what libtiff reported. Returns -1. */
int df_tiff_fail(const struct df_tiff *tiff);

/* Whether a band is brightness. */
bool df_tiff_is_grey(const struct df_tiff *tiff);

/* Of its values: "floats". */
const char *df_tiff_format_name(const struct df_tiff *tiff);

/* Reads `count` (1 or 3) of its bands, numbered from 1 on, as they are stored, not turned. Fills in and
 * allocates samples. -1 with the error set. */
int df_tiff_read_samples(struct df_tiff *tiff, const int *bands, int count, struct df_samples *samples);

/* Whether the page that is read is a smaller copy or a mask of another one: no image of its own. */
bool df_tiff_is_copy(const struct df_tiff *tiff);

/* Whether pages follow that are images of their own. No page can be read afterwards. */
bool df_tiff_has_more_pages(struct df_tiff *tiff);

#endif
