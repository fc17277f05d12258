/* What of a data set should make one look again. */
#ifndef DINOFT_PIPELINE_DATA_WARNINGS_H
#define DINOFT_PIPELINE_DATA_WARNINGS_H

#include "dinoft/data_summary.h"

/* Fills in the warnings of a summary that has all the rest. -1 when out of memory. */
int data_warnings_find(struct df_data_summary *summary);

#endif
