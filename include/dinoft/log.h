/* Lines for the person who runs the program: on standard error, and in the file of --log_file. */
#ifndef DINOFT_LOG_H
#define DINOFT_LOG_H

#include <stdbool.h>

/* "dinoft: TEXT\n" on standard error, and into the file. A text that begins with "warning: " or "error: " is
 * shown whatever happens; --quiet keeps all others off standard error. */
void df_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same into the file alone: what standard error shows in another way, or not at all. */
void df_log_to_file(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the command line says of all this, for the process; before there are threads. file: a descriptor to
 * append to (dinoft/log_file.h), -1 for none. */
void df_log_settings(bool quiet, int file);
bool df_log_is_quiet(void);
int df_log_file(void); /* the descriptor, or -1 */

/* A line of the file begins with the local time: digits, where this has a 0. */
#define DF_LOG_TIME "0000-00-00 00:00:00 "

#endif
