/* Signals that end the program. Whichever way, the temporary files that it has open are removed (cleanup.h).
 */
#ifndef DINOFT_INTERRUPT_H
#define DINOFT_INTERRUPT_H

#include <signal.h>

/* For all commands: the signals end the program at once. */
void interrupt_end_cleanly(void);

/* From now on the first Ctrl-C, SIGTERM or SIGHUP asks the program to end after the current step, the second
 * ends it at once. The flag becomes 1 when the person wants to stop. */
const volatile sig_atomic_t *interrupt_flag(void);

#endif
