/* Masks that are named as their images with something behind: a_mask.png or a.jpg.png beside a.jpg. */
#ifndef DINOFT_DATA_MASK_SUFFIX_H
#define DINOFT_DATA_MASK_SUFFIX_H

#include "folder_files.h"

/* Where no mask has an image's base name, but all have one suffix behind it, or the image's whole name, and
 * each image so has one mask: the masks get the images' stems, and the list its order. Else all stays. tells:
 * the log says what was found. -1 when out of memory. */
int df_mask_suffix_settle(const struct df_folder_files *images, struct df_folder_files *masks, bool tells);

#endif
