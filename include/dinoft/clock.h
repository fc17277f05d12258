/* Time as it passes, for progress and measurements, and the date, for people. */
#ifndef DINOFT_CLOCK_H
#define DINOFT_CLOCK_H

/* Seconds of a monotonic clock. */
double df_seconds(void);

/* Now, for people: "2026-11-30 14:24 UTC". The time is SOURCE_DATE_EPOCH's where that is set, so that the
 * same input gives the same bytes of a report. Returns text. */
#define DF_DATE_TEXT 40
const char *df_date_text(char text[DF_DATE_TEXT]);

#endif
