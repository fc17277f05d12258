/* JSON files: cJSON for the tree, the atomic writer for the file. */
#ifndef DINOFT_JSON_FILE_H
#define DINOFT_JSON_FILE_H

struct cJSON;

/* A number, or null for NaN and infinities, which JSON does not have. */
struct cJSON *df_json_number(double value);

/* A number with as many digits as it takes to read the same bits back, where cJSON stops at 15; null
 * likewise. */
struct cJSON *df_json_exact(double value);

/* A string; bytes that are no UTF-8, which JSON does not have, become U+FFFD. NULL when out of memory. */
struct cJSON *df_json_text(const char *text);

/* Writes the tree, indented, atomically. */
int df_json_write(const char *path, const struct cJSON *tree);

#endif
