/* The folder of a data set that --data_root names. */
#ifndef DINOFT_DATA_DATA_ROOT_H
#define DINOFT_DATA_DATA_ROOT_H

/* Of an archive, the folder in it that holds the data: people often pack the folder itself, which is the only
 * thing at the top then. Anything else stays as it is. To be freed; NULL with the error set, also where a
 * file is named that is no archive. */
char *df_data_root(const char *root);

#endif
