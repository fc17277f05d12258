/* What a person sees of a run: progress on the terminal, CSV files, pictures. */
#ifndef DINOFT_REPORT_H
#define DINOFT_REPORT_H

#include "dinoft/image.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A progress bar on a terminal (redrawn in place, at most ten times a second); where the stream is no
 * terminal, plain lines: the first, the last, and one about every tenth of the work or every 30 seconds. */
struct df_progress;

/* label: "epoch 1/20". total: steps. */
struct df_progress *df_progress_open(FILE *stream, const char *label, int64_t total);
/* done steps so far; images done so far for images per second (0: none shown); loss NaN: none shown. */
void df_progress_update(struct df_progress *progress, int64_t done, int64_t images, double loss);
/* Clears or finishes the line and frees; NULL is allowed. */
void df_progress_close(struct df_progress *progress);

/* matplotlib's tab20 at i / n_classes: the colour of class i in debug pictures. */
void df_tab20_color(int class_index, int n_classes, uint8_t rgb[3]);

/* 256 colours for n_classes: the reference's tab20 mapping; 255 stays white. */
void df_tab20_palette(int n_classes, uint8_t palette[256][3]);

/* result [height, width, 3] = image and the classes' colours blended half and half; pixels of class 255 keep
 * the image. image [height, width, 3] and classes [height, width] have one size. Allocates result. */
int df_overlay(const struct df_image *image, const struct df_image *classes, const uint8_t palette[256][3],
               struct df_image *result);

#endif
