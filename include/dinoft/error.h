/* The text of the last failure, one for each thread.
 *
 * A function that can fail returns 0 / -1, or a pointer / NULL. The place that knows what went wrong calls
 * df_error_set() with one line: what, where, found, expected. Callers clean up and hand the status on; they
 * may put what they were doing in front with df_error_context(), and what helps behind with
 * df_error_advise(). */
#ifndef DINOFT_ERROR_H
#define DINOFT_ERROR_H

#include <stdbool.h>

#define DF_ERROR_TEXT_MAX 1024

/* Sets the calling thread's text. Always returns -1, so that `return df_error_set(...)` reads well. */
int df_error_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts "CONTEXT: " in front of the text. Always returns -1. */
int df_error_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts what helps behind the text, as it is: the layer that knows the flags names them so. A lack of memory
 * keeps its text. Always returns -1.
 */
int df_error_advise(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "out of memory: WHAT needs N bytes", without a number if bytes is 0. Always returns -1. */
int df_error_memory(const char *what, unsigned long long bytes);

/* Whether the calling thread's last failure was one of memory: another try might succeed. */
bool df_error_is_memory(void);

/* The calling thread's text, "" if nothing failed. Valid until the thread's next df_error_*() call. */
const char *df_error_text(void);

/* A failure that is kept while others may follow, or handed to another thread. */
struct df_error {
    char text[DF_ERROR_TEXT_MAX];
    bool is_memory;
};

/* Copies the calling thread's last failure. */
void df_error_keep(struct df_error *kept);

/* Makes it the calling thread's last failure. Always returns -1. */
int df_error_again(const struct df_error *kept);

/* For statements whose failure only needs handing on from a function without clean-up. */
#define DF_TRY(expression)                                                                                   \
    do {                                                                                                     \
        if ((expression) != 0)                                                                               \
            return -1;                                                                                       \
    } while (0)

#endif
