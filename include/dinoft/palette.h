/* The colours of a data set's classes: the same ones in every picture, legend and mask. */
#ifndef DINOFT_PALETTE_H
#define DINOFT_PALETTE_H

#include "dinoft/dataset.h"

#include <stdbool.h>
#include <stdint.h>

struct df_palette {
    uint8_t rgb[256][3];
    bool shows_image[256]; /* what overlays do not colour: 255, and class 0 where it is the background */
};

/* ADE20K has the colours of SceneParse150, everything else VOC's bit-interleaved colour map, which has a
 * colour for each number; 255 (void) is (224, 224, 192). first_name: of class 0, which is the background if
 * it is called so; NULL: it has none. */
void df_palette_fill(struct df_palette *palette, enum df_dataset_kind kind, const char *first_name);

/* The same of a data set, or of what is recorded of its classes: colors [n_classes], or NULL for those above.
 */
void df_palette_fill_classes(struct df_palette *palette, enum df_dataset_kind kind, const char *first_name,
                             const uint8_t (*colors)[3], int n_classes);

#endif
