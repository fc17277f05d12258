/* Whether a data set's labels can be what its user means: before the work, and when all masks have been read.
 */
#ifndef DINOFT_LABEL_CHECKS_H
#define DINOFT_LABEL_CHECKS_H

#include "dinoft/dataset.h"

/* Looks at the first masks of each of the sets, which belong together (training and validation). -1 with the
 * error set, which says what helps: classes that are not the same in all of them, a mask that cannot be read,
 * a set without one labelled pixel (then all its masks have been looked at), or sets that together hold one
 * class and 255 where nobody has said that 255 means "ignore". A line of the log says where EXIF turns an
 * image in a way that sizes do not tell of. */
int df_labels_look(const struct df_dataset *const sets[], int n_sets);

/* The last of these again, of all the masks that have been read since; those that were not are read where
 * they could change the answer. */
int df_labels_check(const struct df_dataset *const sets[], int n_sets);

/* A line of the log for the classes that no pixel of the set has, and one where most of its pixels are
 * ignored; none of them unless all its masks have been read. `name`: "training". */
void df_labels_report_absent(const struct df_dataset *set, const char *name);
void df_labels_report_ignored(const struct df_dataset *set, const char *name);

#endif
