/* Where the running program lies. */
#ifndef DINOFT_PROGRAM_H
#define DINOFT_PROGRAM_H

/* The prefix that the program is installed under, PREFIX of PREFIX/bin/dinoft: the folder above that of its
 * file, links resolved; the caller frees it. So an installed tree can be moved. NULL with the error set where
 * the system does not say (it is asked through /proc). */
char *df_program_prefix(void);

#endif
