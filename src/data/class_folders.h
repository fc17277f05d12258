/* Masks that are a folder of binary ones for each class: ROOT/masks/{train,val}/CLASS/NAME.png, or
 * ROOT/masks/CLASS/NAME.png where no folders divide the images, whose pixels other than 0 are of the class.
 */
#ifndef DINOFT_DATA_CLASS_FOLDERS_H
#define DINOFT_DATA_CLASS_FOLDERS_H

#include "class_table.h"

/* The class folders of all masks, in the order of their names but for "background", which is the first:
 * folders->n_items is 0 where the masks are files. -1 with the error set; free it in either case. */
int df_class_folders_find(const char *root, struct df_mask_values *folders);

/* Makes them the table's classes, in the order of `names` where these are given; those that are called as
 * df_class_name_is_ignored() says are ignored. Without a folder "background", that is class 0. */
int df_class_folders_take(const struct df_mask_values *folders, const struct df_class_table *names,
                          struct df_class_table *table);

/* -1 with the error set where a folder is none of the values, or none of these is the background. */
int df_class_folders_check(const struct df_mask_values *folders, const struct df_mask_values *values);

/* Adds a sample for each image, with the masks that it has in the class folders of `masks`, which the data
 * set's rule names; says so in the log, if it tells. An image without any, and a mask without an image, are
 * errors. (class_layers.c) */
int df_class_folders_list(struct df_dataset *dataset, const char *images, const char *masks, bool tells);

#endif
