/* The mark that lets a hot loop use the vector units of the machine it runs on. */
#ifndef DINOFT_MULTIVERSION_H
#define DINOFT_MULTIVERSION_H

#include <stdint.h> /* any header of the library's: __GLIBC__ is defined by them alone */

/* Compiles a function once more for AVX2 and AVX-512; the loader picks one. It goes on a plain inner function
 * that contains the loop: the body that OpenMP cuts out of a parallel region does not inherit it. Sanitizers
 * instrument the function that picks, which runs before they are ready. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&                 \
    __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define DF_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DF_MULTIVERSION
#endif

/* What a multiversion function calls must become part of it to be compiled with it. */
#define DF_INLINE static inline __attribute__((always_inline))

#endif
