/* A program that runs beside this one, with a channel to or from it. Private to src/data/video. */
#ifndef DINOFT_CHILD_PROCESS_H
#define DINOFT_CHILD_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct child_process {
    pid_t id;         /* 0: none */
    int channel;      /* its standard output or input */
    int log;          /* its standard error, a file without a name */
    const char *name; /* words[0] */
    char said[512];   /* after its end: the last line of its standard error, which may be empty */
};

enum child_channel { CHILD_GIVES, CHILD_TAKES };

/* Starts words[0], which is looked for in PATH, with the words, of which NULL is the last. It is in a process
 * group of its own, so that Ctrl-C reaches this program alone, which then ends it. -1 with the error set. */
int child_start(struct child_process *child, const char *const *words, enum child_channel channel);

/* Reads until there are `size` bytes or the child has closed its end; how many there were. -1 with the error
 * set. */
ssize_t child_read(const struct child_process *child, void *bytes, size_t size);

/* Writes all bytes. -1 with errno set: EPIPE where the child takes no more. Never a signal. */
int child_write(const struct child_process *child, const void *bytes, size_t size);

/* Closes the channel and waits until the child has ended. -1 with the error set if it has not succeeded: what
 * it said last. */
int child_finish(struct child_process *child);

/* Ends it at once, and forgets it; nothing where there is none. */
void child_kill(struct child_process *child);

#endif
