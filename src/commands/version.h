/* dinoft --version --verbose */
#ifndef DINOFT_COMMANDS_VERSION_H
#define DINOFT_COMMANDS_VERSION_H

#include <stdio.h>

/* What a report of a fault should say of the program, the libraries that it has loaded and the machine
 * (dinoft/facts.h). */
void print_facts(FILE *stream);

/* "dinoft 0.9.0, revision 0123456789ab" */
const char *program_text(void);

/* When (df_date_text()), and by which program, a report was made: "2026-11-30 14:24 UTC, dinoft 0.9.0,
 * revision 0123456789ab". Returns text. */
#define MADE_TEXT 128
const char *made_text(char text[MADE_TEXT]);

#endif
