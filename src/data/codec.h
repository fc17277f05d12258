/* The decoders behind image_read.c. Each takes a whole file in memory and says why it fails; the caller names
 * the file. */
#ifndef DINOFT_DATA_CODEC_H
#define DINOFT_DATA_CODEC_H

#include "dinoft/image.h"

#include <stdbool.h>

/* The orientation 1..8 of a TIFF structure (what follows "Exif\0\0" in a JPEG); 1 where there is none. */
int df_exif_orientation(const unsigned char *tiff, size_t size);

/* Turns and mirrors the pixels as the orientation asks. */
int df_image_orient(struct df_image *image, int orientation);

/* Refuses an image of more pixels than `bytes` of its file can become, where one byte becomes `most` at the
 * most: before memory is taken that a few bytes have asked for. -1 with the error set. */
int df_image_check_file(int64_t width, int64_t height, size_t bytes, int64_t most);
/* That alone, of a size that has other limits. */
int df_image_check_bytes(int64_t width, int64_t height, size_t bytes, int64_t most);

/* df_image_alloc() for a size whose limits have been checked. */
int df_image_alloc_checked(struct df_image *image, int64_t width, int64_t height, int channels);

/* Each decoder fills an RGB image of bytes, with the orientation applied; what that is can be asked for: 1
 * where there is none. */
int df_jpeg_decode(const unsigned char *bytes, size_t size, struct df_image *image);
int df_jpeg_orientation(const unsigned char *bytes, size_t size);

int df_png_decode(const unsigned char *bytes, size_t size, struct df_image *image);
/* What df_mask_read() and df_mask_read_colors() say of a mask; any PNG is one. (png_mask.c) */
int df_png_decode_indices(const unsigned char *bytes, size_t size, struct df_image *mask);
int df_png_decode_colors(const unsigned char *bytes, size_t size, struct df_image *mask);
int df_png_orientation(const unsigned char *bytes, size_t size);

/* Whether libspng failed with this code for lack of memory. */
bool df_png_lacks_memory(int code);

int df_webp_decode(const unsigned char *bytes, size_t size, struct df_image *image);
int df_webp_orientation(const unsigned char *bytes, size_t size);

int df_gif_decode(const unsigned char *bytes, size_t size, struct df_image *image);

int df_stb_decode(const unsigned char *bytes, size_t size, struct df_image *image);

/* Those of files that may hold more than bytes do all that `reading` asks. */
int df_png_decode_as(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                     struct df_image *image);
int df_pnm_decode(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                  struct df_image *image);
int df_tiff_decode(const unsigned char *bytes, size_t size, const struct df_image_reading *reading,
                   struct df_image *image);
int df_tiff_orientation(const unsigned char *bytes, size_t size);

/* The same of a TIFF, turned as its orientation asks: the whole numbers of one band, grey or of a palette, as
 * they are stored, as 16-bit ones, or RGB of bytes; where 0 is white, the largest number becomes 0. -1 with
 * the error set: other bands, floats, a number below 0 or above 65535. (tiff_mask.c) */
int df_tiff_decode_indices(const unsigned char *bytes, size_t size, struct df_image *mask);
int df_tiff_decode_colors(const unsigned char *bytes, size_t size, struct df_image *mask);

#endif
