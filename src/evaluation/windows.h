/* Windows that are laid over an image along each of its sides. */
#ifndef DINOFT_EVALUATION_WINDOWS_H
#define DINOFT_EVALUATION_WINDOWS_H

#include <stdint.h>

/* Where windows lie along one direction, and what each counts there. */
struct df_window_axis {
    int64_t length, window, stride;
    int64_t count;  /* of windows */
    float *weights; /* [length]: 1 / the number of windows over it */
};

/* A side that is shorter than `crop` has one window, of its own length. -1 with the error set. */
int df_window_axis_make(struct df_window_axis *axis, int64_t length, int64_t crop, int64_t stride);
void df_window_axis_free(struct df_window_axis *axis);

/* Of window i: they are `stride` apart, the last one is moved back to end with the image. */
int64_t df_window_start(const struct df_window_axis *axis, int64_t i);

/* pixels [height, width, 3]: left and right change sides. */
void df_pixels_mirror(uint8_t *pixels, int64_t height, int64_t width);

#endif
