#include "commands.h"
#include "interrupt.h"

#include "dinoft/train.h"

int command_train(const struct df_config *config)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    signal(SIGPIPE, SIG_IGN); /* a reader of the printed lines that goes away is no reason to stop training */

    if (df_train(config, stop) != 0)
        return 1;
    return *stop ? EXIT_INTERRUPTED : 0;
}
