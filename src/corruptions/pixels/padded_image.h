/* Images as doubles that can be read beyond their borders: what the filters work on, since the packages' own
 * filters compute in double before they truncate to bytes. */
#ifndef DINOFT_CORRUPTIONS_PADDED_IMAGE_H
#define DINOFT_CORRUPTIONS_PADDED_IMAGE_H

#include "float_image.h"

/* How an image a b c d continues: NEAREST a a|a b c d|d d (OpenCV's replicate, scipy's nearest), REFLECT
 * b a|a b c d|d c (scipy's reflect), REFLECT_101 c b|a b c d|c b (OpenCV's default, scipy's mirror). */
enum filter_border { BORDER_NEAREST, BORDER_REFLECT, BORDER_REFLECT_101 };

/* Which of 0 .. count - 1 stands for index. */
int64_t border_index(int64_t index, int64_t count, enum filter_border border);

/* A window of rows that moves down the source. */
struct padded_image {
    int64_t width, height; /* of the source */
    int64_t margin_x, margin_y;
    int channels;
    enum filter_border border;
    const float *floats; /* the source's pixels, or NULL */
    const uint8_t *bytes;
    double levels[256];  /* what stands for a byte */
    int64_t row_count;   /* that are held at a time: 2 * margin_y + 1, or all there are */
    int64_t next;        /* row of the source to be read */
    double *pixels;      /* [row_count, margin_x + width + margin_x, channels] */
    const double **rows; /* [margin_y + height + margin_y]: pixel 0 of each row, once it is there */
};

/* Each allocates image: of floats, or of bytes divided by divisor. The source must outlive it. -1 with the
 * error set; free it in either case. */
int padded_image_of_floats(struct padded_image *image, const struct float_image *source, int64_t margin_x,
                           int64_t margin_y, enum filter_border border);
int padded_image_of_bytes(struct padded_image *image, const struct df_image *source, double divisor,
                          int64_t margin_x, int64_t margin_y, enum filter_border border);
void padded_image_free(struct padded_image *image);

/* Reads the source down to row y + margin_y: rows[y] .. rows[y + 2 * margin_y], which are y - margin_y ..
 * y + margin_y of the source, are there until the next call, with a greater y. From then on rows up to y of
 * the source may be overwritten. */
void padded_image_read(struct padded_image *image, int64_t y);

/* Copies the pixels at the border of a row of width pixels, which row points to, into its margins. */
void pad_row(double *row, int64_t width, int channels, int64_t margin, enum filter_border border);

#endif
