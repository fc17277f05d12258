/* The file of --log_file. */
#ifndef DINOFT_LOG_FILE_H
#define DINOFT_LOG_FILE_H

/* Opens it to append lines (dinoft/log.h), in a folder that is made if missing. The descriptor, which stays
 * open until the process ends, so that the last line finds it; -1 with the error set, also where the file has
 * something and does not begin as a log does: nobody wants lines behind an image or a checkpoint. */
int df_log_file_open(const char *path);

#endif
