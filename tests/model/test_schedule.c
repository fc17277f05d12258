/* Learning rates against PyTorch's schedulers. */
#include "support/errors.h"
#include "support/golden.h"

#include "dinoft/schedule.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_LENGTH 4096
/* PyTorch finds the cosine's rate from the one before, and its rounding grows with the run. */
#define TOLERANCE 1e-12

static const char *const kinds[] = {DF_SCHEDULES(DF_CHOICE_TEXT)};

static void read_head(const char *line, struct df_schedule *schedule, int64_t *stride, int *used)
{
    char clock[16], kind[16];

    assert_int_equal(sscanf(line, "%15s %15s %lf %lf %" SCNd64 " %" SCNd64 " %" SCNd64 "%n", clock, kind,
                            &schedule->lr, &schedule->min_lr, &schedule->length, &schedule->warmup, stride,
                            used),
                     7);
    schedule->by_epoch = strcmp(clock, "epoch") == 0;
    int index = 0;
    while (strcmp(kinds[index], kind) != 0)
        index++;
    schedule->kind = (enum df_schedule_kind)index;
}

/* How many values there are. */
static int64_t compare(const char *line)
{
    struct df_schedule schedule;
    int64_t stride, count = 0;
    int used;

    read_head(line, &schedule, &stride, &used);
    const char *text = line + used;
    if (strcmp(text, " error\n") == 0) {
        assert_true(schedule.warmup == 0 || schedule.warmup == schedule.length);
        return 0;
    }
    for (; *text != '\n'; count++) {
        char *end;
        const double expected = strtod(text, &end), found = df_schedule_lr(&schedule, count * stride);
        if (!(fabs(found - expected) <= TOLERANCE * expected))
            fail_msg("%.17g instead of %.17g at %" PRId64 " of: %.60s", found, expected, count * stride,
                     line);
        text = end;
    }
    assert_int_equal(count, (schedule.length - 1) / stride + 1);
    return count;
}

static void rates_are_pytorch_s(void **state)
{
    FILE *table = fopen(fixture_path("schedules/table.txt"), "r");
    char line[LINE_MAX_LENGTH];
    int64_t count = 0;

    assert_non_null(table);
    while (fgets(line, sizeof line, table))
        count += compare(line);
    fclose(table);
    assert_true(count > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates_are_pytorch_s)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
