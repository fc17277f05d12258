/* Signals that end the program. Whichever way, the temporary files that it has open are removed (cleanup.h).
 */
#ifndef DINOFT_INTERRUPT_H
#define DINOFT_INTERRUPT_H

#include <signal.h>

/* For all commands: the signals end the program at once. */
void interrupt_end_cleanly(void);

/* From now on the first Ctrl-C, SIGTERM or SIGHUP asks the program to end after the current step, the second
 * ends it at once. The flag is no longer 0 when the person wants to stop. */
const volatile sig_atomic_t *interrupt_flag(void);

/* What the program ends with where a command ends with this: instead of EXIT_INTERRUPTED 128 and the number
 * of the signal that it was, as shells have it: 130, 143 or 129. */
int interrupt_status(int status);

#endif
