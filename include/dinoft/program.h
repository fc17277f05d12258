/* Where the running program lies. */
#ifndef DINOFT_PROGRAM_H
#define DINOFT_PROGRAM_H

/* The folder of the program's file, links resolved; the caller frees it. NULL with the error set where the
 * system does not say (it is asked through /proc). */
char *df_program_folder(void);

#endif
