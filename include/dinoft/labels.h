/* Labels and predictions are bytes: 0 .. n_classes - 1, and 255 for pixels that do not count. */
#ifndef DINOFT_LABELS_H
#define DINOFT_LABELS_H

#include <stddef.h>
#include <stdint.h>

#define DF_IGNORE_LABEL 255
#define DF_MAX_CLASSES  255

/* Elements of a confusion matrix [n_classes + 1, n_classes]: pixels of each label (row; the last one is
 * DF_IGNORE_LABEL's) and prediction (column). */
static inline size_t df_confusion_count(int64_t n_classes)
{
    return (size_t)((n_classes + 1) * n_classes);
}

#endif
