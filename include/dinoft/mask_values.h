/* Which pixel values of a user's own masks are classes: a list of numbers. */
#ifndef DINOFT_MASK_VALUES_H
#define DINOFT_MASK_VALUES_H

#include "dinoft/labels.h"

#include <stdint.h>

#define DF_MASK_VALUES_TEXT_MAX 1024 /* bytes of the longest list, with its end */

struct df_mask_values {
    int count;
    uint8_t values[DF_MAX_CLASSES]; /* of class 0, of class 1, … */
};

/* Reads "0,255". -1 with the error set: no list of different numbers from 0 to 255, or more than
 * DF_MAX_CLASSES of them. */
int df_mask_values_parse(const char *text, struct df_mask_values *values);

#endif
