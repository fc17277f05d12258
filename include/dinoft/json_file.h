/* JSON files: cJSON for the tree, the atomic writer for the file. */
#ifndef DINOFT_JSON_FILE_H
#define DINOFT_JSON_FILE_H

struct cJSON;

/* A number, or null for NaN and infinities, which JSON does not have. */
struct cJSON *df_json_number(double value);

/* Writes the tree, indented, atomically. */
int df_json_write(const char *path, const struct cJSON *tree);

#endif
