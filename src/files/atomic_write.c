#include "dinoft/atomic_write.h"

#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/temporary.h"
#include "dinoft/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct df_atomic_file {
    char *path, *folder;
    struct df_temporary temporary;
    FILE *stream; /* over a descriptor of its own: the temporary's lock lasts until it is renamed */
};

/* Lines that are added to a file which is replaced meanwhile are lost. */
static int check_other_than_log(const char *path)
{
    struct stat output, log;

    if (df_log_file() < 0 || stat(path, &output) != 0 || fstat(df_log_file(), &log) != 0)
        return 0;
    if (output.st_dev != log.st_dev || output.st_ino != log.st_ino)
        return 0;
    return df_error_set("cannot write %s: it is the file of --log_file", path);
}

static void free_file(struct df_atomic_file *file)
{
    free(file->path);
    free(file->folder);
    free(file);
}

static FILE *open_stream(const struct df_temporary *temporary)
{
    const int descriptor = fcntl(temporary->descriptor, F_DUPFD_CLOEXEC, 0);
    FILE *stream = descriptor < 0 ? NULL : fdopen(descriptor, "wb");

    if (!stream && descriptor >= 0)
        close(descriptor);
    return stream;
}

struct df_atomic_file *df_atomic_open(const char *path)
{
    struct stat status;
    /* Renaming over a device or a folder would destroy it or fail late. */
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        df_error_set("cannot write %s: it exists and is not a regular file", path);
        return NULL;
    }
    if (check_other_than_log(path) != 0)
        return NULL;
    struct df_atomic_file *file = calloc(1, sizeof *file);
    if (!file) {
        df_error_memory("a file to write", sizeof *file);
        return NULL;
    }
    file->path = df_text_copy(path);
    file->folder = df_path_folder(path);
    if (!file->path || !file->folder)
        goto fail;
    if (df_temporary_create(&file->temporary, file->folder) != 0) {
        df_error_set("cannot write %s: cannot create a file in %s: %s", path, file->folder, strerror(errno));
        goto fail;
    }
    file->stream = open_stream(&file->temporary);
    if (!file->stream) {
        df_error_set("cannot write %s: %s", path, strerror(errno));
        df_temporary_remove(&file->temporary);
        goto fail;
    }
    return file;
fail:
    free_file(file);
    return NULL;
}

FILE *df_atomic_stream(struct df_atomic_file *file)
{
    return file->stream;
}

void df_atomic_abort(struct df_atomic_file *file)
{
    if (!file)
        return;
    fclose(file->stream);
    df_temporary_remove(&file->temporary);
    free_file(file);
}

int df_sync(int descriptor)
{
    return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : -1;
}

/* 0, or the errno of what was written so far. Where an earlier write failed, its errno is gone; as the file
 * is lost anyway, one more byte is written to learn the reason. */
static int finish_writing(FILE *stream)
{
    int descriptor = fileno(stream);
    if (ferror(stream))
        return write(descriptor, "", 1) < 0 ? errno : EIO;
    return fflush(stream) == 0 && df_sync(descriptor) == 0 ? 0 : errno;
}

/* Makes the rename last. Its failure is no error: the file is whole under its name either way. */
static void sync_folder(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    fsync(descriptor);
    close(descriptor);
}

int df_atomic_commit(struct df_atomic_file *file)
{
    int reason = finish_writing(file->stream);

    if (fclose(file->stream) != 0 && !reason)
        reason = errno;
    if (reason)
        df_temporary_remove(&file->temporary);
    else if (df_temporary_rename(&file->temporary, file->path) != 0)
        reason = errno;
    if (reason)
        df_error_set("cannot write %s: %s", file->path, strerror(reason));
    else
        sync_folder(file->folder);
    free_file(file);
    return reason ? -1 : 0;
}

int df_atomic_write(const char *path, const void *bytes, size_t size)
{
    struct df_atomic_file *file = df_atomic_open(path);
    if (!file)
        return -1;
    fwrite(bytes, 1, size, file->stream); /* a failure stays in the stream and is reported by the commit */
    return df_atomic_commit(file);
}

static int make_one_folder(const char *path)
{
    struct stat status;

    if (mkdir(path, 0777) == 0) {
        df_cleanup_folder(path);
        return 0;
    }
    int reason = errno; /* another than EEXIST where a read-only file system has the folder already */
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    return df_error_set("cannot make the folder %s: %s", path,
                        reason == EEXIST ? "a file has that name" : strerror(reason));
}

int df_make_folder(const char *path)
{
    if (!*path)
        return df_error_set("cannot make a folder without a name");
    char *partial = df_text_copy(path);
    if (!partial)
        return -1;
    int status = 0;
    for (char *slash = strchr(partial + 1, '/'); slash && status == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = make_one_folder(partial);
        *slash = '/';
    }
    if (status == 0)
        status = make_one_folder(partial);
    free(partial);
    return status;
}

int df_check_writable(const char *folder)
{
    struct df_temporary temporary;

    DF_TRY(df_make_folder(folder));
    if (df_temporary_create(&temporary, folder) != 0)
        return df_error_set("cannot write to the folder %s: %s", folder, strerror(errno));
    df_temporary_sweep(&temporary, folder);
    df_temporary_remove(&temporary);
    return 0;
}

int df_check_writable_file(const char *path)
{
    struct stat status;
    char *folder = df_path_folder(path);
    int result = folder ? df_check_writable(folder) : -1;

    free(folder);
    if (result != 0)
        return df_error_context("cannot write %s", path);
    if (*path == '\0' || path[strlen(path) - 1] == '/')
        return df_error_set("cannot write '%s': it names no file", path);
    if (stat(path, &status) != 0)
        return errno == ENOENT ? 0 : df_error_set("cannot write %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return df_error_set("cannot write %s: %s", path,
                            S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
    return check_other_than_log(path);
}

int df_check_other_file(const char *output, const char *input)
{
    struct stat first, second;

    if (!input || stat(output, &first) != 0 || stat(input, &second) != 0)
        return 0;
    if (first.st_dev != second.st_dev || first.st_ino != second.st_ino)
        return 0;
    return df_error_set("%s would overwrite %s, which is read", output, input);
}
