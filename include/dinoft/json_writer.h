/* Writes JSON documents; cJSON is the tree below.
 *
 *     struct df_json json = {0};
 *     df_json_object(&json, NULL);             the outermost value
 *     df_json_text(&json, "name", name);
 *     df_json_array(&json, "scores");
 *     df_json_number(&json, NULL, score);      an array's values have no names
 *     df_json_close(&json);
 *     df_json_close(&json);
 *     return df_json_write(&json, path);       says whether all of it went well
 *
 * Only the last call can fail. When memory runs out before, the document remembers it, what follows does
 * nothing, and the last call sets the error. */
#ifndef DINOFT_JSON_WRITER_H
#define DINOFT_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DF_JSON_DEPTH 8 /* containers within each other, at most */

struct cJSON;

struct df_json {
    struct cJSON *root, *open[DF_JSON_DEPTH]; /* of the open ones, the innermost last */
    int depth;                                /* how many are open */
    bool failed;
};

/* name: of the value in the object that is open last, in UTF-8; NULL in an array and for the outermost value.
 */
void df_json_object(struct df_json *json, const char *name);
void df_json_array(struct df_json *json, const char *name);
void df_json_close(struct df_json *json);

/* A string. Bytes that are not UTF-8, which JSON does not have, are written as df_text_valid() says. NULL:
 * null. */
void df_json_text(struct df_json *json, const char *name, const char *text);

/* Up to 15 digits, for people, 17 where those give quite another number; null for NaN and infinities, which
 * JSON does not have. */
void df_json_number(struct df_json *json, const char *name, double value);

/* As many digits as it takes to read the same bits back; null likewise. */
void df_json_exact(struct df_json *json, const char *name, double value);

/* All digits. */
void df_json_integer(struct df_json *json, const char *name, int64_t value);
void df_json_bool(struct df_json *json, const char *name, bool value);
void df_json_null(struct df_json *json, const char *name);

/* Both end the document, of which everything is closed, and free it.
 *
 * Writes it, indented, atomically. */
int df_json_write(struct df_json *json, const char *path);

/* Writes the same text to a stream, whose errors are its owner's. -1 with the error set. */
int df_json_show(struct df_json *json, FILE *stream);

/* Its text in one line, to be freed. NULL with the error set; what: names the document in the error. */
char *df_json_print(struct df_json *json, const char *what);

#endif
