/* How often each label meets each prediction, counted plainly. */
#ifndef TESTS_PAIRS_H
#define TESTS_PAIRS_H

#include "dinoft/labels.h"

#include <string.h>

/* pairs [n_classes + 1, n_classes] of count pixels; the same pointer. */
static inline const int64_t *test_confusion_matrix(int64_t *pairs, int n_classes, const uint8_t *prediction,
                                                   const uint8_t *label, int64_t count)
{
    memset(pairs, 0, df_pair_table_count(n_classes) * sizeof *pairs);
    for (int64_t i = 0; i < count; i++) {
        const int row = label[i] == DF_IGNORE_LABEL ? n_classes : label[i];
        pairs[row * n_classes + prediction[i]]++;
    }
    return pairs;
}

#endif
