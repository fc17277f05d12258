/* The pictures in the report of corrupt. */
#ifndef DINOFT_COMMANDS_CORRUPT_SAMPLES_H
#define DINOFT_COMMANDS_CORRUPT_SAMPLES_H

#include "dinoft/corruption_report.h"
#include "dinoft/image_store.h"

struct corrupt_samples_request {
    struct df_image_store *store; /* of the data set */
    const char *image;            /* the name of its first image */
    const struct df_corruption_suite *suite;
    const struct df_corruption_results *results; /* rows that are skipped have no sample */
    bool drawn;                                  /* its row is drawn from the suite: all of it is shown */
    const struct df_frost *frost;
    uint64_t seed;
};

/* The data set's first image, clean and under each corruption at the middle one of the severities, the pixels
 * that are measured. -1 with the error set; free the samples in either case. */
int corrupt_samples_make(const struct corrupt_samples_request *request,
                         struct df_corruption_samples *samples);

#endif
