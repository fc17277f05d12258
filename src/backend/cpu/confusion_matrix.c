#include "cpu_backend.h"

#include <assert.h>
#include <string.h>

int df_cpu_confusion_matrix(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                            int64_t count, int64_t classes, int64_t *matrix)
{
    (void)backend;
    assert(classes >= 1 && classes <= DF_MAX_CLASSES);
    memset(matrix, 0, df_confusion_count(classes) * sizeof *matrix);
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = labels[i] == DF_IGNORE_LABEL ? classes : labels[i];
        assert(row <= classes && prediction[i] < classes);
        matrix[row * classes + prediction[i]]++;
    }
    return 0;
}
