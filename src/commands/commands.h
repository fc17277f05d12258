/* The commands behind main.c. Each returns the program's exit status: 0, 1 after an error (its text is set),
 * 2 after one in the command line, 130 after Ctrl-C. */
#ifndef DINOFT_COMMANDS_H
#define DINOFT_COMMANDS_H

#include "dinoft/config.h"

#define EXIT_INTERRUPTED 130 /* 128 + SIGINT, as shells expect */

int command_train(const struct df_config *config);
int command_eval(const struct df_config *config);
int command_corrupt(const struct df_config *config);
int command_corrupt_images(const struct df_config *config);
int command_predict(const struct df_config *config);
int command_features(const struct df_config *config);
int command_pca(const struct df_config *config);
int command_convert(const struct df_config *config);
int command_info(const struct df_config *config);
int command_demo_data(const struct df_config *config);
int command_bench(const struct df_config *config);
int command_selftest(const struct df_config *config);

#endif
