/* Time as it passes, for progress and measurements. */
#ifndef DINOFT_CLOCK_H
#define DINOFT_CLOCK_H

/* Seconds of a monotonic clock. */
double df_seconds(void);

#endif
