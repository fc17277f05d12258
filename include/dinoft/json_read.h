/* Reading JSON files; cJSON is the tree. */
#ifndef DINOFT_JSON_READ_H
#define DINOFT_JSON_READ_H

#include <stddef.h>

struct cJSON;

/* The tree of a file of at most `most` bytes, to be freed with cJSON_Delete(). NULL with the error set, which
 * names the file: it cannot be read, it is larger, or it is not one JSON value and nothing behind it. */
struct cJSON *df_json_read(const char *path, size_t most);

#endif
