#include "interrupt.h"

#include "commands.h"

#include "dinoft/cleanup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted; /* by this signal */

static void on_signal(int number)
{
    static const char text[] = "\ndinoft: ending after this step (once more: at once)\n";
    int kept = errno; /* belongs to whatever was interrupted */

    if (interrupted) {
        /* A terminal that closes sends SIGHUP more than once: that is no second wish. */
        if (number != SIGINT && (number != SIGTERM || interrupted != SIGTERM))
            return;
        df_cleanup_run();
        _exit(128 + number);
    }
    interrupted = number;
    ssize_t told = write(STDERR_FILENO, text, sizeof text - 1);
    (void)told; /* nobody may be there */
    errno = kept;
}

/* Ends the process by the same signal, whose action is the default again. Process 1 of a container does not
 * end by that. */
static void on_end(int number)
{
    df_cleanup_run();
    raise(number);
    _exit(128 + number);
}

/* A signal that was ignored from the start (nohup, a script's background job) stays so. */
static void catch_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void interrupt_end_cleanly(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        catch_signal(numbers[i], on_end, (int)SA_RESETHAND | SA_NODEFER);
}

int interrupt_status(int status)
{
    return status == EXIT_INTERRUPTED && interrupted ? 128 + (int)interrupted : status;
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        catch_signal(numbers[i], on_signal, SA_RESTART); /* reads and writes under way go on */
    return &interrupted;
}
