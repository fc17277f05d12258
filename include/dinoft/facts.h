/* What a report of a fault should say of the program and the machine: `dinoft --version --verbose`. Each
 * layer tells its own facts, as lines "KEY: VALUE" with the values below each other. What cannot be found out
 * is said to be unknown, or left out; nothing fails. */
#ifndef DINOFT_FACTS_H
#define DINOFT_FACTS_H

#include <stddef.h>
#include <stdio.h>

/* A name and a value, as in "checkpoint: voc_lora.pt", for reports. */
struct df_fact {
    const char *name, *value;
};

/* One line; control characters in the value become '?'. */
void df_fact(FILE *stream, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The file that holds a function of the library `handle` (of dlopen), or of any that is loaded (NULL), with
 * links resolved; the caller frees it. NULL where the function is part of the program, or there is no memory.
 */
char *df_loaded_file(void *handle, const char *function);

/* "KEY: VERSION, FILE" of a library that the program was linked with, or a handle's. */
void df_fact_library(FILE *stream, const char *key, const char *version, void *handle, const char *function);

/* What a macro of a library's header stands for, as text. */
#define DF_FACT_OF(macro)   DF_FACT_TEXT(macro)
#define DF_FACT_TEXT(token) #token

/* base/: system, C library, processor, memory; and the variables of the environment that change what the
 * program does. */
void df_machine_facts(FILE *stream);
void df_environment_facts(FILE *stream);

/* The libraries of files/, data/ and analysis/. */
void df_files_facts(FILE *stream);
void df_data_facts(FILE *stream);
void df_analysis_facts(FILE *stream);

/* backend/: the devices, what they compute with, and their libraries. */
void df_backend_facts(FILE *stream);

#endif
