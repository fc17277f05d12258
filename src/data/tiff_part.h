/* How the values of a TIFF become RGB bytes, of the whole image or of parts of it. */
#ifndef DINOFT_DATA_TIFF_PART_H
#define DINOFT_DATA_TIFF_PART_H

#include "tiff_file.h"

struct df_tiff_way {
    bool by_libtiff; /* it makes colours of them */
    int bands[3], n_bands;
    struct df_image_reading reading;
    bool has_none;
    double none;
};

/* Decides it. -1 with the error set: it cannot be read, or not without --bands. */
int df_tiff_choose(struct df_tiff *tiff, const struct df_image_reading *reading, struct df_tiff_way *way);

/* Rows that are read together: whole strips or tiles, since each is decoded for each call. */
int64_t df_tiff_rows_together(const struct df_tiff *tiff);

/* A part that begins with a strip or tile, and ends with one or with the image, not turned. A range "of the
 * file" is that of the part. Allocates the image. -1 with the error set. */
int df_tiff_read_part(struct df_tiff *tiff, const struct df_tiff_way *way, const struct df_image_part *part,
                      struct df_image *image);

/* Extends a range by the values of a part. */
int df_tiff_extend_range(struct df_tiff *tiff, const struct df_tiff_way *way,
                         const struct df_image_part *part, struct df_samples_range *range);

/* What should be told of the file, once the first page has been read; NULL: nothing. No page can be read
 * afterwards. */
const char *df_tiff_find_warning(struct df_tiff *tiff);

#endif
