/* The commands behind main.c. Each may fill in its flags what a checkpoint says, and returns the program's
 * exit status: 0, 1 after an error (its text is set), 2 after one in the command line, 130 after Ctrl-C. */
#ifndef DINOFT_COMMANDS_H
#define DINOFT_COMMANDS_H

#include "dinoft/config.h"

#define EXIT_INTERRUPTED 130 /* 128 + SIGINT, as shells expect */

int command_train(struct df_config *config);
int command_sweep(struct df_config *config);
int command_eval(struct df_config *config);
int command_corrupt(struct df_config *config);
int command_corrupt_images(struct df_config *config);
int command_predict(struct df_config *config);
int command_features(struct df_config *config);
int command_pca(struct df_config *config);
int command_convert(struct df_config *config);
int command_report(struct df_config *config);
int command_data(struct df_config *config);
int command_info(struct df_config *config);
int command_demo_data(struct df_config *config);
int command_bench(struct df_config *config);
int command_selftest(struct df_config *config);

#endif
