/* Images given on the command line. */
#ifndef DINOFT_INPUTS_H
#define DINOFT_INPUTS_H

#include "dinoft/config.h"
#include "dinoft/image.h"

/* Reads one image and resizes it to height x width into pixels [height, width, 3]; its original size goes to
 * *image's fields, its pixels stay with the caller to free. */
int input_read(const char *path, int64_t height, int64_t width, struct df_image *image, uint8_t *pixels);

/* Checks that every input is a readable file and that no two would be written under the same name. */
int inputs_check(const struct df_config *config, bool distinct_names);

#endif
