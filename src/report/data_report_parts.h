/* The sections of a data set's page. */
#ifndef DINOFT_REPORT_DATA_REPORT_PARTS_H
#define DINOFT_REPORT_DATA_REPORT_PARTS_H
#include "html.h"

#include "dinoft/data_report.h"

#include <stdio.h>

/* Samples with their masks drawn, and as training sees them. -1 with the error set. */
int data_report_samples(FILE *page, const struct df_data_report *report);

#endif
