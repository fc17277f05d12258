/* Pieces of manual pages. Private to src/config. */
#ifndef DINOFT_CONFIG_MANUAL_H
#define DINOFT_CONFIG_MANUAL_H

#include <stdio.h>

/* A heading; the text under it is the caller's. */
void df_manual_section(FILE *stream, const char *title);

/* Something that is typed, and what it means under it. */
void df_manual_entry(FILE *stream, const char *syntax, const char *text);

/* The section of command lines, which end with NULL. */
void df_manual_examples(FILE *stream, const char *const *examples);

/* The page of the program, behind its heading. */
void df_manual_program(FILE *stream);

#endif
