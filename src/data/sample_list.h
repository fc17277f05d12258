/* What the data sets' readers share: growing the list of samples, and pairing folders. */
#ifndef DINOFT_DATA_SAMPLE_LIST_H
#define DINOFT_DATA_SAMPLE_LIST_H

#include "dinoft/dataset.h"

/* The readers: each fills the samples of a data set whose classes and mask rule are known. */
int df_voc_list(struct df_dataset *dataset, const struct df_dataset_options *options);
int df_ade20k_list(struct df_dataset *dataset, const struct df_dataset_options *options);
/* By the layout that fits. -1 with the error set also where none does, or more than one, or flags have no use
 * in it. (layouts/layout.c) */
int df_folder_list(struct df_dataset *dataset, const struct df_dataset_options *options);

/* Whether the split has any image, mask or annotation of its own, by the layout that fits. -1 with the error
 * set. (layouts/layout.c) */
int df_folder_has_split(const struct df_dataset_options *options, bool *has);

/* Takes over the three strings, which may be NULL when memory ran out; frees them on failure. */
int df_sample_add(struct df_dataset *dataset, char *name, char *image_path, char *mask_path);

void df_sample_free(struct df_sample *sample);

/* Leaves the chosen samples [count], in that order; no number is there twice. No census may be there yet. -1
 * when out of memory: then the set is as it was. */
int df_sample_select(struct df_dataset *dataset, const int64_t *chosen, int64_t count);

/* Adds a sample for each picture of a folder, in the order of strcmp, with the mask MASKS/NAME.png, or
 * one whose name has something behind (mask_suffix.h), also in folders that both have. Masks
 * without an image, images without a mask, two images or masks of one name, pairs of which a half has an
 * ending that is not read, a folder with images among the images alone, and a folder without any are errors;
 * other files that are not used are named in the log, if it tells. (folder_pairs.c) */
int df_sample_add_folder(struct df_dataset *dataset, const char *images, const char *masks, bool tells);

/* Notes the sizes of the samples' files. Fails if any of them is not there, naming the first few. */
int df_sample_check_files(struct df_dataset *dataset);

#endif
