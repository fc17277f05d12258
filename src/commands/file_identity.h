/* A file that is there, whatever paths lead to it. */
#ifndef DINOFT_FILE_IDENTITY_H
#define DINOFT_FILE_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

struct file_identity {
    dev_t device;
    ino_t inode;
    const char *path; /* the caller's: one that leads to it */
};

/* False where nothing is there. */
bool file_identify(const char *path, struct file_identity *identity);

/* For qsort() and bsearch() over identities: equal where it is one file. */
int file_identity_compare(const void *a, const void *b);

#endif
