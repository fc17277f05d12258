#include "file_identity.h"

bool file_identify(const char *path, struct file_identity *identity)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return false;
    *identity = (struct file_identity){status.st_dev, status.st_ino, path};
    return true;
}

int file_identity_compare(const void *a, const void *b)
{
    const struct file_identity *first = a, *second = b;

    if (first->device != second->device)
        return first->device < second->device ? -1 : 1;
    return (first->inode > second->inode) - (first->inode < second->inode);
}
