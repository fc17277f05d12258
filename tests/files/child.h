/* What a process does that may end at once: done in a child. */
#ifndef TESTS_FILES_CHILD_H
#define TESTS_FILES_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/* Runs `work` in a child process that then ends by _exit(0). The wait status; text gets what it wrote to
 * standard error. */
int run_child(void (*work)(void *context), void *context, char *text, size_t size);

/* Ended by _exit(code). */
void assert_exited(int status, int code, const char *text);

/* Ended by the signal. */
void assert_killed(int status, int number, const char *text);

/* A child that works until end_child() kills it. */
pid_t start_child(void (*work)(void *context), void *context);
void end_child(pid_t child);

#endif
