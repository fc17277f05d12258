/* Images given on the command line. */
#ifndef DINOFT_INPUTS_H
#define DINOFT_INPUTS_H

#include "dinoft/config.h"
#include "dinoft/image.h"
#include "dinoft/setup.h"

/* Reads one image, and logs what is odd about it. */
int input_decode(const char *path, const struct df_image_reading *reading, struct df_image *image);

/* Reads one image and resizes it to height x width into pixels [height, width, 3]; its original size goes to
 * *image's fields, its pixels stay with the caller to free. */
int input_read(const char *path, const struct df_image_reading *reading, int64_t height, int64_t width,
               struct df_image *image, uint8_t *pixels);

/* Checks that every input is a file that can be read. */
int inputs_check(const struct df_config *config);

/* FOLDER/STEM + ending, STEM being the input's base name; the caller frees it. */
char *input_output_path(const struct df_config *config, const char *input, const char *ending);

/* Checks that the files that will be written, one for each input and ending in --output_dir and the file
 * `once` (NULL: none), neither overwrite each other nor an input. */
int inputs_check_outputs(const struct df_config *config, const char *const *endings, int n_endings,
                         const char *once);
/* The same of those for each input, for the files that the model is read from. */
int inputs_check_model(const struct df_config *config, const struct df_setup *setup,
                       const char *const *endings, int n_endings);

#endif
