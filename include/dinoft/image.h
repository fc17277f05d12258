/* Images and masks in memory, read from and written to files. */
#ifndef DINOFT_IMAGE_H
#define DINOFT_IMAGE_H

#include "dinoft/image_reading.h"

#include <stddef.h>
#include <stdint.h>

#define DF_IMAGE_MAX_SIDE                                                                                    \
    32768 /* width or height of a file that is accepted; also at most DF_IMAGE_MAX_PIXELS in all */
#define DF_IMAGE_MAX_RATIO 4 /* of sides, where an image is resized with its ratio kept */
#ifndef DF_IMAGE_MAX_PIXELS  /* the fuzzers are built with less */
#define DF_IMAGE_MAX_PIXELS ((int64_t)1 << 28)
#endif

/* channels 3: RGB uint8 [height, width, 3]. channels 1: class indices uint8 [height, width]. channels 2: see
 * df_mask_read(). */
struct df_image {
    int64_t width, height;
    int channels;
    uint8_t *pixels;
    const char *warning; /* what its reader should tell of the file; NULL: nothing */
};

/* Frees the pixels and clears the struct. */
void df_image_free(struct df_image *image);

/* Refuses dimensions below 1, beyond DF_IMAGE_MAX_SIDE, or beyond DF_IMAGE_MAX_PIXELS in all: -1 with the
 * error set. */
int df_image_check_size(int64_t width, int64_t height);

/* pixels of width x height x channels, unset. */
int df_image_alloc(struct df_image *image, int64_t width, int64_t height, int channels);

/* Reads a picture as OpenCV's imread does, as RGB, turned as its orientation asks: JPEG (accurate DCT, fancy
 * upsampling), PNG (alpha dropped), TIFF and BigTIFF (what libtiff decodes), WebP, GIF (the first picture),
 * PNM, and BMP and TGA through stb_image. Grey, palettes and CMYK are converted; of 16 bits the high byte is
 * taken (of a TIFF of RGB, the nearest byte, as libtiff does it for OpenCV), unless `reading` (NULL: as it
 * comes) says otherwise. The format is told from the content (TGA, which has no signature, from the name).
 * Files that are cut, or whose codes or checksums are wrong, are refused, where OpenCV would fill in grey;
 * where all pixels are there, image->warning says what is not. -1 with the error naming the file. */
int df_image_read(const char *path, const struct df_image_reading *reading, struct df_image *image);

/* Logs the image's warning, if there is one. */
void df_image_warn(const char *path, const struct df_image *image);

/* The format that the file's content is of, as df_image_read() calls it: "JPEG"; NULL where it is none, or
 * the file cannot be read. */
const char *df_image_format(const char *path);

/* The EXIF orientation that df_image_read() applies to the file: 1 to 8, where 5 to 8 change width and
 * height; 1 also where there is none, for files that cannot be read, and for an eXIf behind a PNG's pixels.
 */
int df_image_orientation(const char *path);

/* Reads a mask of numbers. channels 1, uint8 [height, width]: a palette's indices, or the values of grey or
 * of colours whose channels are equal everywhere, untouched (1, 2 and 4-bit ones unpacked, not scaled).
 * channels 2, uint16_t [height, width] in the machine's order of bytes: the same of 16 bits. channels 3,
 * uint8 [height, width, 3]: colours, which are no numbers; of 8 bits. A mask that is transparent somewhere,
 * or of 16-bit colours, and a file that is neither PNG nor TIFF are errors that say what was found. */
int df_mask_read(const char *path, struct df_image *mask);

/* Reads a mask of colours: channels 3, of any PNG or TIFF of at most 8 bits; palette and grey become RGB.
 * Transparent masks are errors here too. */
int df_mask_read_colors(const char *path, struct df_image *mask);

/* Each writes a PNG atomically. */
int df_png_write_rgb(const char *path, const struct df_image *image);
/* channels 1, [height, width]. */
int df_png_write_grey(const char *path, const struct df_image *image);
/* indices [height, width]; palette [256][3]. */
int df_png_write_palette(const char *path, const struct df_image *indices, const uint8_t palette[256][3]);

/* The RGB image as a file in memory, which the caller frees. NULL with the error set. */
void *df_png_encode(const struct df_image *image, size_t *size);
void *df_jpeg_encode(const struct df_image *image, int quality, size_t *size);

/* Baseline JPEG, 4:2:0, quality 1..100, atomically. */
int df_jpeg_write(const char *path, const struct df_image *image, int quality);

/* The image as it is after df_jpeg_write and df_image_read, without a file. */
int df_jpeg_round_trip(struct df_image *image, int quality);

/* OpenCV's 8-bit INTER_LINEAR (no antialiasing) in its fixed point, the same bytes as cv2.resize; uint8
 * [h, w, 3]. Rows are done one after the other: call it from several threads for several images. Scratch
 * memory is allocated inside. */
int df_resize_linear(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height);

struct df_image_part {
    int64_t x, y, width, height;
};

/* The same, of which a window is made alone: the bytes that it has in the whole result of width x height, in
 * which it lies. The window's rows are row_pixels apart in the destination. */
int df_resize_linear_window(const struct df_image *source, int64_t width, int64_t height,
                            const struct df_image_part *window, uint8_t *destination, int64_t row_pixels);

/* Takes row y of a result; row [width, channels] is there until it returns. */
typedef void df_row_taker(void *result, int64_t y, const uint8_t *row);

/* df_resize_linear() for a part of the source, as if there was nothing around it, row by row. */
int df_resize_linear_part(const struct df_image *source, const struct df_image_part *part, int64_t width,
                          int64_t height, df_row_taker *take, void *result);

/* OpenCV's INTER_NEAREST, index by index: floor(i * (1 / (dst / src))) in double, which is floor(i * src /
 * dst) but for a few exact multiples where rounding takes the pixel before; uint8 [h, w]. */
void df_resize_nearest(const struct df_image *source, uint8_t *destination, int64_t width, int64_t height);

/* A window of that, as df_resize_linear_window() makes it. */
void df_resize_nearest_window(const struct df_image *source, int64_t width, int64_t height,
                              const struct df_image_part *window, uint8_t *destination, int64_t row_pixels);

/* Makes an RGB image smaller, or leaves its size: each pixel is the mean of the area that it covers, parts of
 * pixels weighed by their share. 1 <= width <= source->width, the same for the height. Allocates result. */
int df_shrink(const struct df_image *source, int64_t width, int64_t height, struct df_image *result);

/* An image's size, made smaller in its ratio where the longer side has more than `most` pixels. */
void df_size_within(const struct df_image *image, int64_t most, int64_t *width, int64_t *height);

/* df_shrink() to that size. */
int df_shrink_within(const struct df_image *source, int64_t most, struct df_image *result);

#endif
