/* A confusion matrix, counted plainly. */
#ifndef TESTS_CONFUSION_H
#define TESTS_CONFUSION_H

#include "dinoft/labels.h"

#include <string.h>

/* confusion [n_classes + 1, n_classes] of count pixels; the same pointer. */
static inline const int64_t *test_confusion_matrix(int64_t *confusion, int n_classes,
                                                   const uint8_t *prediction, const uint8_t *label,
                                                   int64_t count)
{
    memset(confusion, 0, df_confusion_count(n_classes) * sizeof *confusion);
    for (int64_t i = 0; i < count; i++) {
        const int row = label[i] == DF_IGNORE_LABEL ? n_classes : label[i];
        confusion[row * n_classes + prediction[i]]++;
    }
    return confusion;
}

#endif
