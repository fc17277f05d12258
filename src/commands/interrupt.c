#include "interrupt.h"

#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    static const char text[] = "\ndinoft: ending after this step (once more: at once)\n";
    struct sigaction usual;

    interrupted = 1;
    memset(&usual, 0, sizeof usual);
    usual.sa_handler = SIG_DFL;
    sigaction(number, &usual, NULL);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return; /* nobody to tell */
}

const volatile sig_atomic_t *interrupt_flag(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART; /* reads and writes under way go on */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}
