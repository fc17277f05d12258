/* The drawings of the page about corruptions. Each returns -1 when out of memory. */
#ifndef DINOFT_REPORT_CORRUPTION_PLOTS_H
#define DINOFT_REPORT_CORRUPTION_PLOTS_H
#include "dinoft/corruption_results.h"

#include <stdio.h>

/* mIoU by corruption and severity, a coloured table. */
int corruption_plot_matrix(FILE *page, const struct df_corruption_results *results);

/* Mean mIoU of each corruption, with the clean one as a line. */
int corruption_plot_bars(FILE *page, const struct df_corruption_results *results);

/* mIoU over severity: of the families, and of the corruptions of each. */
int corruption_plot_lines(FILE *page, const struct df_corruption_results *results);

#endif
