/* The selftest's cases of what evaluates: averages over windows and views, and the confusion matrix. */
#include "selftest_case.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdlib.h>

#define I64 "%" PRId64

/* The window's weights are the host's: the case's own inputs. */
static int call_window(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    const struct df_window window = {
        .h = m.height,
        .w = m.width,
        .classes = m.classes,
        .top = 3,
        .left = 5,
        .height = test->setting->height,
        .width = test->setting->width,
        .canvas_width = test->setting->width + 8,
        .row_weight = test->tensors[2].values,
        .column_weight = test->tensors[3].values,
    };
    return side->backend->ops->add_window(side->backend, &window, side->memory[0], side->memory[1]);
}

static void window(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);
    const struct selftest_setting *s = test->setting;

    test->operation = "add_window";
    selftest_input(test, false, m.height * m.width * m.classes, 0.0, 2.0);
    selftest_in_out(test, false, (s->height + 8) * (s->width + 8) * m.classes, 0.0, 1.0);
    selftest_input(test, false, s->height, 0.75, 0.1);
    selftest_input(test, false, s->width, 0.75, 0.1);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 "] to [" I64 ", " I64 "]", m.height, m.width, m.classes,
                   s->height, s->width);
    test->call = call_window;
}

static int call_probabilities(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_map m = selftest_map_of(test);
    return side->backend->ops->add_probabilities(side->backend, side->memory[0], m.height, m.width, m.classes,
                                                 true, side->memory[1], test->setting->height,
                                                 test->setting->width);
}

static void probabilities(struct selftest_case *test)
{
    const struct selftest_map m = selftest_map_of(test);
    const struct selftest_setting *s = test->setting;

    test->operation = "add_probabilities";
    selftest_input(test, false, m.height * m.width * m.classes, 0.0, 2.0);
    selftest_in_out(test, false, s->height * s->width * m.classes, 1.0, 0.1);
    selftest_shape(test, "[" I64 ", " I64 ", " I64 "] to [" I64 ", " I64 "]", m.height, m.width, m.classes,
                   s->height, s->width);
    test->call = call_probabilities;
}

static int call_decide(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_setting *s = test->setting;
    int64_t counted;

    if (side->backend->ops->argmax(side->backend, side->memory[0], s->height * s->width, s->classes, 4,
                                   side->memory[1], side->memory[2], &side->scalars[0], &counted) != 0)
        return -1;
    side->scalars[1] = (double)counted;
    return 0;
}

/* A sum that a pixel in the wrong place changes. */
static double checksum(const int64_t *table, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = (sum + (i + 1) * (uint64_t)table[i]) % 65521;
    return (double)sum;
}

static int call_confusion_matrix(const struct selftest_case *test, struct selftest_side *side)
{
    const struct selftest_setting *s = test->setting;
    const struct df_backend_ops *ops = side->backend->ops;
    const size_t count = df_confusion_count(s->classes), bytes = count * sizeof(int64_t);
    int64_t *table = malloc(bytes);
    int status = table ? 0 : df_error_memory("a confusion matrix", bytes);

    if (status == 0)
        status = ops->confusion_matrix(side->backend, side->memory[0], side->memory[1], s->height * s->width,
                                       s->classes, side->memory[2]);
    if (status == 0)
        status = ops->download(side->backend, table, side->memory[2], bytes);
    if (status == 0)
        side->scalars[0] = checksum(table, count);
    free(table);
    return status;
}

static void confusion_matrix(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;

    test->operation = "confusion_matrix";
    selftest_bytes(test, s->height * s->width, (int)s->classes, false);
    selftest_bytes(test, s->height * s->width, (int)s->classes, true);
    selftest_output_bytes(test, (int64_t)(df_confusion_count(s->classes) * sizeof(int64_t)));
    selftest_shape(test, "[" I64 ", " I64 "], " I64 " classes", s->height, s->width, s->classes);
    test->n_scalars = 1;
    test->call = call_confusion_matrix;
}

static void decide(struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    const int64_t count = s->height * s->width;

    test->operation = "argmax";
    selftest_input(test, false, count * s->classes, 1.0, 0.1);
    selftest_bytes(test, count, (int)s->classes, true);
    selftest_output_bytes(test, count);
    selftest_shape(test, "[" I64 ", " I64 "]", count, s->classes);
    test->n_scalars = 2;
    test->call = call_decide;
}

selftest_builder *const selftest_evaluation[] = {
    window, probabilities, decide, confusion_matrix, NULL,
};
