/* The JSON that a checkpoint carries under DF_RECORD_KEY. */
#ifndef DINOFT_RECORD_H
#define DINOFT_RECORD_H

#include "dinoft/checkpoint.h"

/* Fills the record from a text; members that are missing or of another type stay empty. -1 when it is no JSON
 * object. */
int record_parse(const char *json, struct df_record *record);

/* A new string, to be freed; NULL with the error set. */
char *record_print(const struct df_record *record, const struct df_segmenter *segmenter);

void record_clear(struct df_record *record);

#endif
