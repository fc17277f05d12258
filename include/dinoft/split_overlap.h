/* Validation images that are training images, as far as that can be told without reading the set. */
#ifndef DINOFT_SPLIT_OVERLAP_H
#define DINOFT_SPLIT_OVERLAP_H

#include "dinoft/dataset.h"

/* A warning where images of both sets are the same file, or have equal names, sizes and bytes, of which a few
 * are compared. Others a survey finds (dinoft/data_survey.h): copies of other names, since equal sizes alone
 * come about by chance and would have to be read. -1 when out of memory. */
int df_split_overlap_report(const struct df_dataset *training, const struct df_dataset *validation);

#endif
