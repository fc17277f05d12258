/* The pictures of the page about corruptions. */
#ifndef DINOFT_REPORT_CORRUPTION_SAMPLES_H
#define DINOFT_REPORT_CORRUPTION_SAMPLES_H

#include "dinoft/corruption_report.h"

/* Nothing without any. */
void corruption_write_samples(FILE *page, const struct df_corruption_samples *samples);

#endif
