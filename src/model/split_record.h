/* The part of a checkpoint's record that tells how its images were divided. */
#ifndef DINOFT_SPLIT_RECORD_H
#define DINOFT_SPLIT_RECORD_H

#include "dinoft/layout.h"

struct cJSON;
struct df_json;

/* Reads the member "split" of the record; without one the split stays empty. -1 with the error set. */
int split_record_parse(const struct cJSON *object, struct df_split_record *split);

/* Writes it where images were divided. */
void split_record_print(struct df_json *json, const struct df_split_record *split);

#endif
