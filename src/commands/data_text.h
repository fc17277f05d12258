/* What `dinoft data` prints. */
#ifndef DINOFT_COMMANDS_DATA_TEXT_H
#define DINOFT_COMMANDS_DATA_TEXT_H

#include "dinoft/data_summary.h"

/* The tables, the first faults and the first images that are there twice. */
void data_text_print(const struct df_data_summary *summary);

#endif
