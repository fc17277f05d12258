/* Lines for the person who runs the program, on standard error. */
#ifndef DINOFT_LOG_H
#define DINOFT_LOG_H

/* "dinoft: TEXT\n". */
void df_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
