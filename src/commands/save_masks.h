/* eval --save_masks: each prediction as a PNG of class numbers. */
#ifndef DINOFT_COMMANDS_SAVE_MASKS_H
#define DINOFT_COMMANDS_SAVE_MASKS_H

#include "dinoft/config.h"
#include "dinoft/evaluate.h"
#include "dinoft/measure.h"
#include "dinoft/palette.h"

/* Checks that every mask can be written below --save_masks, as the sample's name says: nothing that is there
 * is overwritten without --overwrite, and no file of the data set or model in any case. -1 with the error
 * set. */
int save_masks_check(const struct df_config *config, const struct df_measure *measure);

/* Writes that of one image. -1 with the error set. */
int save_masks_write(const char *folder, const char *name, const struct df_prediction *prediction,
                     const struct df_palette *palette);

#endif
