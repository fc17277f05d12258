/* Counts what the process takes from the heap, whoever calls: the program, libraries, other threads. Or lets
 * one of these calls fail, as when memory runs out.
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

/* From now on `count` calls, the first of which is the n-th (from 0), find no memory. What counts are calls
 * that the program makes, or a library that hands the failure on to it. Others end the process then, or
 * throw: oneDNN, runtimes of C++, OpenMP and CUDA. */
void allocations_fail(long n, long count);

/* Ends that. How many calls there were: more than n if it came to the n-th. */
long allocations_end_failing(void);

#endif
