#include "file_lock.h"

#include <errno.h>
#include <sys/file.h>

enum df_file_lock df_file_lock_try(int descriptor)
{
    int status;

    do
        status = flock(descriptor, LOCK_EX | LOCK_NB);
    while (status != 0 && errno == EINTR);
    if (status == 0)
        return DF_LOCK_HELD;
    return errno == EWOULDBLOCK ? DF_LOCK_TAKEN : DF_LOCK_NONE;
}
