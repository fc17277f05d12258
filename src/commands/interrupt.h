/* Ctrl-C, SIGTERM and SIGHUP: the first asks the program to end after the current step, the second ends it at
 * once.
 */
#ifndef DINOFT_INTERRUPT_H
#define DINOFT_INTERRUPT_H

#include <signal.h>

/* Installs the handler; the flag becomes 1 when the person wants to stop. */
const volatile sig_atomic_t *interrupt_flag(void);

#endif
