/* The confusion matrix as a picture. */
#ifndef DINOFT_CONFUSION_PICTURE_H
#define DINOFT_CONFUSION_PICTURE_H

#include "dinoft/image.h"
#include "dinoft/metrics.h"

/* Draws metrics->confusion, each row as shares of its class's labelled pixels: the label's class on the left,
 * the predicted one below. The colour follows the square root of the share, so that confusions of a few per
 * cent are seen; the bar at the side says what it means. A row without labelled pixels is hatched. Up to 25
 * classes have their percentages in the cells. Cells are sized by the number of classes so that names fit:
 * about 1000 pixels square for 21 classes, 2100 for 150.
 *
 * names [n_classes]; long ones are cut. Allocates picture (RGB); -1 when out of memory. */
int df_confusion_draw(const struct df_metrics *metrics, char *const *names, struct df_image *picture);

#endif
