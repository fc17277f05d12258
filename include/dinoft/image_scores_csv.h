/* The scores of each image as a table for other programs. */
#ifndef DINOFT_IMAGE_SCORES_CSV_H
#define DINOFT_IMAGE_SCORES_CSV_H

#include "dinoft/image_scores.h"

/* Writes a header and a line an image, in the list's order, atomically:
 *   image,miou,pixel_accuracy,reference_iou,reference_miou,loss,counted_pixels,worst_class,worst_class_iou
 * with nothing between commas where a value does not exist. class_names [n_classes]. */
int df_image_scores_write_csv(const char *path, const struct df_image_scores_list *list,
                              char *const *class_names);

#endif
