/* A TIFF or BigTIFF of any size, of which windows are read: never the whole file or image is in memory.
 *
 * A side may have up to 1,048,576 pixels. The pixels are those that df_image_read() gives of the whole image.
 * A range "of the file" is found at the opening, which reads the file once. */
#ifndef DINOFT_DATA_IMAGE_WINDOWS_H
#define DINOFT_DATA_IMAGE_WINDOWS_H

#include "dinoft/image.h"

#include <stdbool.h>

struct df_image_windows;

/* The width and height of a TIFF after it was turned, from its header alone. false, without an error, where
 * it is no TIFF or has no readable header. */
bool df_image_windows_size_of(const char *path, int64_t *width, int64_t *height);

/* Strips and tiles that were decoded are kept: about `rows` rows of the image, at most 256 MiB. reading: NULL
 * as the file comes. NULL with the error set, which names the file. */
struct df_image_windows *df_image_windows_open(const char *path, const struct df_image_reading *reading,
                                               int64_t rows);
void df_image_windows_close(struct df_image_windows *windows); /* NULL is allowed */

int64_t df_image_windows_width(const struct df_image_windows *windows);
int64_t df_image_windows_height(const struct df_image_windows *windows);

/* What should be told of the file; NULL: nothing. */
const char *df_image_windows_warning(const struct df_image_windows *windows);

/* Reads a part, which lies in the image, to pixels uint8 [part's height, part's width, 3]. One thread at a
 * time. -1 with the error set, which names the file. */
int df_image_windows_read(struct df_image_windows *windows, const struct df_image_part *part,
                          uint8_t *pixels);

#endif
