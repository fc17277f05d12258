/* How the values of an image file become bytes, and which of its bands are read: the same for all images that
 * a model sees. */
#ifndef DINOFT_IMAGE_READING_H
#define DINOFT_IMAGE_READING_H

#include "dinoft/digest.h"

#define DF_IMAGE_RANGE_TEXT_MAX 64 /* bytes of the longest text, with its end */
#define DF_BANDS_TEXT_MAX       32

enum df_image_range {
    DF_RANGE_OF_TYPE, /* of the file's type: 0 is black, the largest number of its bits white */
    DF_RANGE_GIVEN,
    DF_RANGE_OF_FILE /* from the smallest to the largest of the finite values that are read of the file */
};

/* All zero: as files come. */
struct df_image_reading {
    const char *range_text, *bands_text; /* as they were parsed; NULL: not given */
    enum df_image_range range;
    double black, white; /* DF_RANGE_GIVEN: values that become 0 and 255; black < white */
    int n_bands;         /* 0: the file's colours; 1: grey; 3: red, green, blue */
    int bands[3];        /* [n_bands], from 1 on */
};

/* Reads "0,4095" or "auto", and "4,3,2" or "1"; NULL: not given. The texts are borrowed. -1 with the error
 * set, which names the flag. */
int df_image_reading_parse(const char *range, const char *bands, struct df_image_reading *reading);

/* Makes a digest another one where something is given. */
void df_image_reading_add(struct df_digest *digest, const struct df_image_reading *reading);

#endif
