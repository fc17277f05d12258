/* The learning rate's schedule that the flags ask for. */
#ifndef DINOFT_SCHEDULE_CHOICE_H
#define DINOFT_SCHEDULE_CHOICE_H

#include "dinoft/config.h"

/* Of a run over so many training images; a warm-up whose steps leave nothing of the run is refused, where the
 * command line alone did not tell. -1 with the error set, which names the flags. */
int df_schedule_choose(const struct df_config *config, int64_t images, struct df_schedule *schedule);

#endif
