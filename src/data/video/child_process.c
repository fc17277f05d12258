#define _GNU_SOURCE /* memfd_create */

#include "child_process.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Fills the actions that give the child its standard streams: `end` on one side, nothing on the other. */
static int connect_streams(posix_spawn_file_actions_t *actions, enum child_channel channel, int end, int log)
{
    const int ours = channel == CHILD_GIVES ? STDOUT_FILENO : STDIN_FILENO;
    const int other = channel == CHILD_GIVES ? STDIN_FILENO : STDOUT_FILENO;
    int code = posix_spawn_file_actions_addopen(actions, other, "/dev/null", O_RDWR, 0);

    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, end, ours);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, log, STDERR_FILENO);
    return code;
}

/* Signals are as they were when the program began, and no terminal's keys reach the child. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, usual;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    int code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setsigdefault(attributes, &usual);
    return code;
}

/* 0, or an errno. */
static int spawn(struct child_process *child, const char *const *words, enum child_channel channel, int end)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);

    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    code = connect_streams(&actions, channel, end, child->log);
    if (code == 0)
        code = set_signals(&attributes);
    if (code == 0)
        code = posix_spawnp(&child->id, words[0], &actions, &attributes, (char *const *)words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static void close_all(struct child_process *child)
{
    if (child->channel >= 0)
        close(child->channel);
    if (child->log >= 0)
        close(child->log);
    child->channel = child->log = -1;
    child->id = 0;
}

static int refuse(const char *name, int code)
{
    if (code == ENOENT)
        return df_error_set("cannot run %s: it is not installed, or not in PATH; videos need ffmpeg and "
                            "ffprobe, the package ffmpeg of most systems (apt-get install ffmpeg)",
                            name);
    return df_error_set("cannot run %s: %s", name, strerror(code));
}

int child_start(struct child_process *child, const char *const *words, enum child_channel channel)
{
    int ends[2]; /* sockets, as writing to these can be had without a signal */

    *child = (struct child_process){.channel = -1, .log = -1, .name = words[0]};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return refuse(words[0], errno);
    child->channel = ends[0];
    child->log = memfd_create("messages", MFD_CLOEXEC);
    int code = child->log < 0 ? errno : spawn(child, words, channel, ends[1]);
    close(ends[1]);
    if (code == 0)
        return 0;
    close_all(child);
    return refuse(words[0], code);
}

ssize_t child_read(const struct child_process *child, void *bytes, size_t size)
{
    size_t filled = 0;

    while (filled < size) {
        const ssize_t got = read(child->channel, (char *)bytes + filled, size - filled);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        if (got > 0)
            filled += (size_t)got;
        else if (errno != EINTR)
            return df_error_set("cannot read what %s gives: %s", child->name, strerror(errno));
    }
    return (ssize_t)filled;
}

int child_write(const struct child_process *child, const void *bytes, size_t size)
{
    size_t written = 0;

    while (written < size) {
        const ssize_t taken =
            send(child->channel, (const char *)bytes + written, size - written, MSG_NOSIGNAL);
        if (taken >= 0)
            written += (size_t)taken;
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

/* Keeps the last line of its standard error. */
static void keep_last_line(struct child_process *child)
{
    char end[4096];
    const off_t length = lseek(child->log, 0, SEEK_END);
    const off_t first = length > (off_t)sizeof end - 1 ? length - (off_t)sizeof end + 1 : 0;
    const ssize_t got = pread(child->log, end, sizeof end - 1, first);

    if (got <= 0)
        return;
    end[got] = '\0';
    for (char *rest = NULL, *line = strtok_r(end, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (strcmp(line, "Conversion failed!") != 0)
            snprintf(child->said, sizeof child->said, "%s", line);
    }
    for (char *c = child->said; *c; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
}

static int wait_for(pid_t id, int *status)
{
    pid_t ended;

    do
        ended = waitpid(id, status, 0);
    while (ended < 0 && errno == EINTR);
    return ended < 0 ? -1 : 0;
}

int child_finish(struct child_process *child)
{
    const char *name = child->name;
    int status = 0, result = 0;

    close(child->channel);
    child->channel = -1;
    if (wait_for(child->id, &status) != 0)
        result = df_error_set("cannot wait for %s: %s", name, strerror(errno));
    keep_last_line(child);
    close_all(child);
    if (result != 0)
        return -1;
    if (WIFSIGNALED(status))
        return df_error_set("%s was ended by signal %d", name, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0 && child->said[0])
        return df_error_set("%s: %s", name, child->said);
    if (WEXITSTATUS(status) != 0)
        return df_error_set("%s ended with status %d and said nothing", name, WEXITSTATUS(status));
    return 0;
}

void child_kill(struct child_process *child)
{
    int status;

    if (child->id <= 0)
        return;
    kill(child->id, SIGKILL);
    wait_for(child->id, &status);
    close_all(child);
}
