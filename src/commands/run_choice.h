/* Which run's files a training writes, and whether it goes on with what they hold. */
#ifndef DINOFT_COMMANDS_RUN_CHOICE_H
#define DINOFT_COMMANDS_RUN_CHOICE_H

#include "dinoft/config.h"
#include "dinoft/setup.h"
#include "dinoft/train.h"

/* Opens the files of a run whose name is known before anything is read: --exp_name's, or the recipe's where
 * nothing is resumed. *resumes: it goes on. Leaves files->name NULL where the name is not known. -1 with the
 * error set; close the files in either case. */
int run_choice_known(struct df_run_files *files, const struct df_config *config, bool *resumes);

/* Opens those of another name: of the newest run that the options fit, where one is to go on, and else of a
 * new one. Changes nothing if they are open. */
int run_choice_open(struct df_run_files *files, const struct df_config *config, struct df_setup *setup,
                    struct df_dataset *const sets[2], const struct df_training_options *options,
                    bool *resumes);

/* -1 with the error set where what the run will write would take the place of what it reads; only the
 * checkpoint that it goes on from may be replaced. */
int run_choice_check(const struct df_run_files *files, const struct df_config *config,
                     const struct df_setup *setup);

#endif
