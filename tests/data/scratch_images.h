/* Small images in the scratch folder. */
#ifndef TESTS_DATA_SCRATCH_IMAGES_H
#define TESTS_DATA_SCRATCH_IMAGES_H

/* An RGB image, PNG or JPEG by its name, whose bytes are all `shade`; a mask whose values are all `label`. */
void scratch_image(const char *name, int width, int height, int shade);
void scratch_mask(const char *name, int width, int height, int label);

#endif
