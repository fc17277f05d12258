/* A class map as reports show it. */
#ifndef DINOFT_REPORT_CLASS_PANEL_H
#define DINOFT_REPORT_CLASS_PANEL_H

#include "dinoft/image.h"
#include "dinoft/overlay.h"

/* The classes [height, width], of any size, stretched over the image (RGB), each region with its class's
 * number (dinoft/region_numbers.h); what does not count is hatched. Allocates panel, as large as the image
 * (RGB); -1 when out of memory. */
int df_class_panel(const struct df_image *image, const struct df_image *classes,
                   const struct df_overlay_style *style, struct df_image *panel);

#endif
