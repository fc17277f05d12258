/* The text of a line of progress. */
#ifndef DINOFT_BASE_PROGRESS_LINE_H
#define DINOFT_BASE_PROGRESS_LINE_H

#include "dinoft/progress.h"

#include <stddef.h>

#define PROGRESS_LINE_SIZE 512 /* bytes, with the final '\0' */

/* NaN and "": unknown, and not shown. */
struct progress_numbers {
    const char *label;
    int64_t done, total;
    double loss, rate;    /* rate: images per second */
    double elapsed, left; /* seconds */
    char fields[DF_PROGRESS_FIELDS][DF_PROGRESS_FIELD_SIZE];
};

/* "epoch 1/20 12/45  loss 1.234  best 45.3 %  3.40 img/s  eta 0:42", all of it. */
void progress_plain_line(char line[PROGRESS_LINE_SIZE], const struct progress_numbers *numbers);
/* "epoch 1/20 [===>      ] 12/45  …" in at most so many columns: as many of the numbers as there is room for,
 * the most important ones (see dinoft/progress.h), and a bar as long as what they leave. */
void progress_bar_line(char line[PROGRESS_LINE_SIZE], const struct progress_numbers *numbers, int columns);

#endif
