#include "files/child.h"

#include "support/cmocka_all.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(int descriptor, void (*work)(void *context), void *context)
{
    dup2(descriptor, STDERR_FILENO);
    signal(SIGBUS, SIG_DFL); /* cmocka reports it otherwise */
    work(context);
    _exit(0);
}

int run_child(void (*work)(void *context), void *context, char *text, size_t size)
{
    int ends[2], status;
    size_t used = 0;
    ssize_t got = 1;

    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        in_child(ends[1], work, context);
    close(ends[1]);
    while (used + 1 < size && got > 0) {
        got = read(ends[0], text + used, size - used - 1);
        used += got > 0 ? (size_t)got : 0;
    }
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

void assert_exited(int status, int code, const char *text)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
        fail_msg("wait status %#x instead of exit status %d: %s", (unsigned)status, code, text);
}

void assert_killed(int status, int number, const char *text)
{
    if (!WIFSIGNALED(status) || WTERMSIG(status) != number)
        fail_msg("wait status %#x instead of signal %d: %s", (unsigned)status, number, text);
}

pid_t start_child(void (*work)(void *context), void *context)
{
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        work(context);
        _exit(0);
    }
    return child;
}

void end_child(pid_t child)
{
    int status;

    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
