/* What the writer and the reader of a run's state share: run_state_write.c, run_state.c. */
#ifndef DINOFT_TRAIN_RUN_STATE_FORMAT_H
#define DINOFT_TRAIN_RUN_STATE_FORMAT_H

#define FORMAT_KEY     "dinoft.state"
#define FORMAT         "3"
#define CONTENT_KEY    "content" /* the digest of all else */
#define VALIDATION_ROW 6         /* numbers of a validation, before the IoU of each class */

#endif
