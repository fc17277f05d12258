/* Masks as lengths of runs: COCO's run down the columns, CVAT's along the rows; the first run is of pixels
 * outside. */
#ifndef DINOFT_DATA_SHAPES_RLE_H
#define DINOFT_DATA_SHAPES_RLE_H

#include "canvas.h"

#include <stddef.h>

/* Whether the runs are pixels in all. */
bool df_rle_covers(const uint32_t *runs, size_t count, int64_t pixels);

/* COCO's runs, which cover the canvas. */
void df_rle_draw_columns(struct df_canvas *canvas, const uint32_t *runs, size_t count, uint8_t label);

/* CVAT's runs, which cover the box of width x height at (left, top). */
void df_rle_draw_rows(struct df_canvas *canvas, const int64_t box[4], const uint32_t *runs, size_t count,
                      uint8_t label);

/* COCO's compressed runs, in text: 5 bits a character from '0' on, the lowest first, with a sixth where more
 * follow; from the fourth run on each is the difference to the one before the last. runs [length of the
 * text]. The number of runs, or -1 with the error set: a character that is none of these, a run that ends in
 * the middle or is no 32-bit number. */
int64_t df_rle_read(const char *text, uint32_t *runs);

#endif
