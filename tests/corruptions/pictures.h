/* The pictures of make_pieces.py. */
#ifndef TESTS_CORRUPTIONS_PICTURES_H
#define TESTS_CORRUPTIONS_PICTURES_H

#include "dinoft/image.h"
#include "src/corruptions/pixels/float_image.h"
#include "support/cmocka_all.h"

#define PICTURE_HEIGHT 45
#define PICTURE_WIDTH  62

/* 1 channel: slopes with edges between them. */
struct df_image rings(void);

/* 3 channels. */
struct df_image colours(void);

/* Unset, of their size. */
struct df_image blank(int channels);

/* Sawteeth from -41 to 41 times 0.37. */
struct float_image offsets(int factor_x, int factor_y);

/* Sawteeth from -1 to 1. */
struct float_image waves(int height, int width);

/* The pixels have the hash. */
void assert_hash(const struct df_image *image, uint64_t hash);

#endif
