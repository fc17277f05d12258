/* Counts what the process takes from the heap, whoever calls: the program, libraries, other threads.
 *
 * allocations.c takes the place of malloc and its relatives in the executable that it is linked into; it
 * needs glibc and stands aside under the sanitizers, which do the same. */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

struct allocations {
    long onednn;         /* calls from oneDNN, with those of the C++ runtime on its behalf */
    long libomp;         /* calls from LLVM's OpenMP runtime; GNU's, which takes none, is one of the others */
    long others;         /* calls from anywhere else */
    size_t onednn_bytes; /* the largest of oneDNN's */
    long kept;           /* blocks taken less blocks given back */
    char where[256];     /* the object and function of the first of the others; "" without any */
};

/* False where they cannot be counted here: everything stays 0. */
bool allocations_can_be_counted(void);

void allocations_start(void);
void allocations_stop(struct allocations *counted);

#endif
