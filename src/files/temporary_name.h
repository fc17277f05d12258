/* The names of temporary files, see temporary.h. */
#ifndef DINOFT_FILES_TEMPORARY_NAME_H
#define DINOFT_FILES_TEMPORARY_NAME_H

#include <stdint.h>

/* Stands for the running system (its boot, not the container) and the mounted file system of the folder, a
 * descriptor: whoever gets the same number sees the same locks. 0: not known. */
uint64_t df_temporary_origin(int folder);

enum df_temporary_kind {
    DF_TEMPORARY_NOT,
    DF_TEMPORARY_HERE,     /* of this origin */
    DF_TEMPORARY_ELSEWHERE /* of another or an unknown one, or by an earlier build */
};

enum df_temporary_kind df_temporary_kind_of(const char *name, uint64_t origin);

#endif
