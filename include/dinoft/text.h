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

/* For qsort() of an array of char *: the order of strcmp(). */
int df_text_compare(const void *a, const void *b);

/* Replaces control characters by '?': what comes from a file sends nothing but text to the terminal, and one
 * line. */
void df_text_replace_controls(char *text);

/* Decodes the code point that starts at text, of which `left` bytes are there. The number of its bytes, or 0
 * where there is no valid one (RFC 3629: no surrogates, no overlong forms) and code is left alone. */
size_t df_text_code_point(const char *text, size_t left, uint32_t *code);

/* Whether length bytes are valid UTF-8. */
bool df_text_is_utf8(const char *text, size_t length);

/* The most bytes of a piece, with the 0 behind them. */
#define DF_TEXT_PIECE 5

/* Text of any bytes as a file of UTF-8 can hold it, such as JSON: valid UTF-8 stays as it is, and each byte
 * of what is none becomes the four characters \xHH, its hexadecimal digits.
 *
 * df_text_piece() writes what the first character, or byte, of text becomes (left: its bytes, at least one)
 * and returns how many bytes of text that is. df_text_valid() makes a new string, which the caller frees;
 * NULL with the error set when out of memory. */
size_t df_text_piece(const char *text, size_t left, char piece[DF_TEXT_PIECE]);
char *df_text_valid(const char *text);

/* A word of a command line as a shell takes it, in quotes where it has to be; the caller frees it. NULL with
 * the error set when out of memory. */
char *df_text_shell_word(const char *word);

/* File name of a path, without folders: a part of it ("a/b.jpg" -> "b.jpg"). */
const char *df_path_name(const char *path);

/* File name of a path without folders and without the last extension ("a/b.c.jpg" -> "b.c"); the caller frees
 * it. */
char *df_path_stem(const char *path);

/* The folder of a path ("." if it names none); the caller frees it. */
char *df_path_folder(const char *path);

/* Index of the entry of names[count] most like word (Levenshtein distance), -1 if none is near enough to
 * suggest. */
int df_text_nearest(const char *word, const char *const *names, int count);

#endif
