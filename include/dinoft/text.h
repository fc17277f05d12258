/* Small helpers for strings and paths. */
#ifndef DINOFT_TEXT_H
#define DINOFT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* printf into a new string; the caller frees it. NULL with the error set when out of memory. */
char *df_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy the caller frees; NULL with the error set when out of memory. */
char *df_text_copy(const char *text);

bool df_text_starts_with(const char *text, const char *start);
bool df_text_ends_with(const char *text, const char *end);

/* Replaces control characters by '?': what comes from a file sends nothing but text to the terminal, and one
 * line. */
void df_text_replace_controls(char *text);

/* Decodes the code point that starts at text, of which `left` bytes are there. The number of its bytes, or 0
 * where there is no valid one (RFC 3629: no surrogates, no overlong forms) and code is left alone. */
size_t df_text_code_point(const char *text, size_t left, uint32_t *code);

/* Whether length bytes are valid UTF-8. */
bool df_text_is_utf8(const char *text, size_t length);

/* File name of a path without folders and without the last extension ("a/b.c.jpg" -> "b.c"); the caller frees
 * it. */
char *df_path_stem(const char *path);

/* The folder of a path ("." if it names none); the caller frees it. */
char *df_path_folder(const char *path);

/* Index of the entry of names[count] most like word (Levenshtein distance), -1 if none is near enough to
 * suggest. */
int df_text_nearest(const char *word, const char *const *names, int count);

#endif
