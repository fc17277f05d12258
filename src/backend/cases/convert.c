/* Conversion between float32 and bfloat16. */
#include "build.h"

enum { COUNT, NARROW }; /* narrow: which of the two is act, others are float32 */
enum { SOURCE = 1, DESTINATION };
enum { FROM, TO };

/* Less than a vector, the rest behind one, more than a chunk. */
#define WAYS(count)                                                                                          \
    {count}, {count, SOURCE}, {count, DESTINATION},                                                          \
    {                                                                                                        \
        count, SOURCE | DESTINATION                                                                          \
    }
static const int64_t odd[][DF_CASE_SIZES] = {
    WAYS(1),  WAYS(2),  WAYS(3),  WAYS(4),  WAYS(5),  WAYS(6),  WAYS(7),  WAYS(8),  WAYS(9),
    WAYS(10), WAYS(11), WAYS(12), WAYS(13), WAYS(14), WAYS(15), WAYS(16), WAYS(17), WAYS(4097),
};

static int uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = df_case_rows(m) * m->dim;
    n[0][NARROW] = DESTINATION;
    return 1;
}

static void convert_build(struct df_case *c)
{
    df_case_in(c, c->n[NARROW] & SOURCE ? c->act : DF_F32, c->n[COUNT], 0.0, 10.0);
    df_case_out(c, c->n[NARROW] & DESTINATION ? c->act : DF_F32, c->n[COUNT], 0.0);
}

static int convert_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->convert(run->backend, run->memory[FROM],
                                      df_case_type(&c->tensors[FROM], run->backend), run->memory[TO],
                                      df_case_type(&c->tensors[TO], run->backend), c->n[COUNT]);
}

static void convert_expect(struct df_case *c)
{
    for (int64_t i = 0; i < c->n[COUNT]; i++)
        c->tensors[TO].expected[i] = (double)c->tensors[FROM].values[i];
}

DF_CASE_SET(convert, odd, uses);
