/* The part of a checkpoint's record that tells its training images from others. */
#ifndef DINOFT_SEEN_RECORD_H
#define DINOFT_SEEN_RECORD_H

#include "dinoft/seen_images.h"

struct cJSON;
struct df_json;

/* Reads the member "trained_images" of the record; without one there are none. -1 with the error set. */
int seen_record_parse(const struct cJSON *object, struct df_seen_images *seen);

/* Writes it where images are known. -1 when out of memory. */
int seen_record_print(struct df_json *json, const struct df_seen_images *seen);

#endif
