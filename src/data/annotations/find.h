/* Where a folder's annotations and images are. */
#ifndef DINOFT_DATA_ANNOTATIONS_FIND_H
#define DINOFT_DATA_ANNOTATIONS_FIND_H

#include "source.h"

#include "dinoft/dataset.h"

/* What options->annotations names, or what is there and can be nothing else. -1 with the error set: a file
 * that is not there, annotations of two kinds, no folder of images. Free it in either case. */
int df_annotation_source_find(const struct df_dataset_options *options, struct df_annotation_source *source);
void df_annotation_source_free(struct df_annotation_source *source);

/* Whether there is a file or folder of this split's annotations alone: what options->annotations names with
 * {split}, else one of COCO's. Those in folders that are called as the split are not looked for. -1 with the
 * error set. */
int df_annotation_source_has_split(const struct df_dataset_options *options, bool *has);

/* "COCO" */
const char *df_annotation_format_name(enum df_annotation_format format);

#endif
