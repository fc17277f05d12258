/* Text in roff, the language of manual pages, so that every character of it is shown as it stands. */
#ifndef DINOFT_CONFIG_ROFF_H
#define DINOFT_CONFIG_ROFF_H

#include <stdio.h>

/* ASCII text that begins a line or, with nothing before it, the argument of a macro. No line is ended. */
void df_roff_text(FILE *stream, const char *text);

/* How something is typed, "--size small|base": capitals are placeholders, in italics, other words bold. */
void df_roff_syntax(FILE *stream, const char *text);

/* Sentences, broken into lines; flags in them are bold. */
void df_roff_sentences(FILE *stream, const char *text);

#endif
