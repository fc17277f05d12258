/* The JSON that a checkpoint carries under DF_RECORD_KEY. */
#ifndef DINOFT_RECORD_H
#define DINOFT_RECORD_H

#include "dinoft/checkpoint.h"

/* Fills the record from a text; members that are missing stay empty. -1 with the error set when it is no JSON
 * object, or a member is of another type, too long or too large. */
int record_parse(const char *json, struct df_record *record);

/* A new string, to be freed; NULL with the error set. */
char *record_print(const struct df_record *record, const struct df_segmenter *segmenter);

void record_clear(struct df_record *record);

#endif
