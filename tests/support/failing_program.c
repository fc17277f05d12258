/* Loaded before a program's libraries (LD_PRELOAD), with allocations.c: runs the program again and again,
 * each time with other allocations that fail.
 *
 * In place of main() it answers requests: one line each on standard input, "N COUNT FOLDER". A copy of the
 * process runs main() in FOLDER/work, with its output in FOLDER/stdout and FOLDER/stderr, while COUNT calls
 * from the N-th on fail (allocations.h). The answer is a line on standard output: the status as waitpid()
 * gives it, and how many calls there were. So the program's libraries are loaded once, which takes longer
 * than most commands. The end of the input ends it. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, RTLD_NEXT, syscall() */

#include "support/allocations.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVE      "DINOFT_FAILING_PROGRAM" /* how many seconds a run may take */
#define LINE       4096
#define FASTER     100 /* its clock */
#define BILLION    1000000000
#define IMPOSSIBLE 99 /* the exit status where a run cannot begin */

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                           void *);
start_function __libc_start_main; /* no header has it */

static main_function *program_main;
static long *shared_calls; /* the copy tells it here */

/* Commands flush each file to the disk; whether it gets there is no matter here. */
int fsync(int descriptor)
{
    (void)descriptor;
    return 0;
}

/* Benchmarks go on until a time is over; what they measure is no matter here either. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_MONOTONIC && status == 0) {
        const long nanoseconds = FASTER * now->tv_nsec;
        now->tv_sec = FASTER * now->tv_sec + nanoseconds / BILLION;
        now->tv_nsec = nanoseconds % BILLION;
    }
    return status;
}

static void open_as(int descriptor, const char *folder, const char *name, int flags)
{
    char path[LINE + sizeof "/stdout"];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int file = open(path, flags, 0666);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(IMPOSSIBLE);
    if (file != descriptor)
        close(file);
}

static void prepare_copy(const char *folder, unsigned seconds, long n, long count)
{
    open_as(STDIN_FILENO, "", "dev/null", O_RDONLY);
    open_as(STDOUT_FILENO, folder, "stdout", O_WRONLY | O_CREAT | O_TRUNC);
    open_as(STDERR_FILENO, folder, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
    if (chdir(folder) != 0 || chdir("work") != 0)
        _exit(IMPOSSIBLE);
    unsetenv(SERVE);
    alarm(seconds); /* ends a run that hangs by a signal */
    allocations_fail(n, count);
}

__attribute__((destructor)) static void tell_calls(void)
{
    if (shared_calls)
        *shared_calls = allocations_end_failing();
}

/* Returns in a copy that is to run main(). */
static void serve(const char *seconds)
{
    char line[LINE], folder[LINE];
    long n, count;
    int status;

    shared_calls =
        mmap(NULL, sizeof *shared_calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared_calls == MAP_FAILED || !allocations_can_be_counted())
        _exit(IMPOSSIBLE);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%ld %ld %[^\n]", &n, &count, folder) != 3)
            _exit(IMPOSSIBLE);
        *shared_calls = -1;
        const pid_t copy = fork();
        if (copy == 0) {
            prepare_copy(folder, (unsigned)atoi(seconds), n, count);
            return;
        }
        if (copy < 0 || waitpid(copy, &status, 0) != copy)
            _exit(IMPOSSIBLE);
        printf("%d %ld\n", status, *shared_calls);
        fflush(stdout);
    }
    _exit(0);
}

static int serve_and_run_main(int count, char **arguments, char **environment)
{
    const char *seconds = getenv(SERVE);

    if (seconds)
        serve(seconds);
    return program_main(count, arguments, environment);
}

/* glibc's, which each program calls first. What runs before main() is not the program's own, and so may not
 * be stopped: CUDA's runtime registers each kernel there, and does not survive it when memory runs out. */
int __libc_start_main(main_function *entry, int count, char **arguments, void (*init)(void),
                      void (*fini)(void), void (*end_loader)(void), void *stack_end)
{
    start_function *const start = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

    program_main = entry;
    return start(serve_and_run_main, count, arguments, init, fini, end_loader, stack_end);
}
