#include "interrupt.h"

#include "commands.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    static const char text[] = "\ndinoft: ending after this step (once more: at once)\n";
    int kept = errno; /* belongs to whatever was interrupted */

    (void)number;
    if (interrupted)
        _exit(EXIT_INTERRUPTED);
    interrupted = 1;
    ssize_t told = write(STDERR_FILENO, text, sizeof text - 1);
    (void)told; /* nobody may be there */
    errno = kept;
}

/* A signal that was ignored from the start (nohup, a script's background job) stays so. */
static void catch_signal(int number)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART; /* reads and writes under way go on */
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
    return &interrupted;
}
