/* What the data sets' readers share: growing the list of samples, and pairing folders. */
#ifndef DINOFT_DATA_SAMPLE_LIST_H
#define DINOFT_DATA_SAMPLE_LIST_H

#include "dinoft/dataset.h"

/* The readers: each fills the samples of a data set whose classes and mask rule are known. */
int df_voc_list(struct df_dataset *dataset, const struct df_dataset_options *options);
int df_ade20k_list(struct df_dataset *dataset, const struct df_dataset_options *options);
int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options);

/* Whether a folder's split has any image, mask or annotation of its own. -1 with the error set.
 * (folder_split.c) */
int df_folder_has_split(const struct df_dataset_options *options, bool *has);

/* Takes over the three strings, which may be NULL when memory ran out; frees them on failure. */
int df_sample_add(struct df_dataset *dataset, char *name, char *image_path, char *mask_path);

/* Adds a sample for each picture of a folder, in the order of strcmp, with the mask MASKS/NAME.png. Masks
 * without an image, images without a mask, two images or masks of one name, pairs of which a half has an
 * ending that is not read, and a folder without any are errors; other files that are not used are named in
 * the log. (folder_pairs.c) */
int df_sample_add_folder(struct df_dataset *dataset, const char *images, const char *masks);

/* Notes the sizes of the samples' files. Fails if any of them is not there, naming the first few. */
int df_sample_check_files(struct df_dataset *dataset);

#endif
