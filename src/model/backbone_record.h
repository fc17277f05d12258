/* The part of a checkpoint's record that says which backbone it was trained on. */
#ifndef DINOFT_BACKBONE_RECORD_H
#define DINOFT_BACKBONE_RECORD_H

#include "dinoft/checkpoint.h"

struct cJSON;
struct df_json;

/* Says that a member of the record is not what its name says. Always returns -1. */
int record_damaged(const char *key, const char *part);

/* Fills trained_on from the record's object, and record->backbone, which must be read before, where an
 * earlier version recorded no more. -1 with the error set when something in it is not what its name says. */
int backbone_record_parse(const struct cJSON *object, struct df_record *record);

/* Writes into the record's object, which is open. */
void backbone_record_print(struct df_json *json, const struct df_record *record);

#endif
