/* Draws of Poisson distributions against their probabilities. */
#include "support/cmocka_all.h"

#include "dinoft/poisson.h"

#include <math.h>

#define DRAWS (1 << 18)

/* Counts of 0 .. most among DRAWS draws. */
static void draw_counts(double mean, int most, int64_t counts[DF_POISSON_MOST + 1])
{
    struct df_poisson poisson;
    struct df_rng rng;

    df_rng_seed(&rng, (uint64_t)(mean * 1000), (uint64_t)most);
    assert_int_equal(df_poisson_open(&poisson, mean, most), 0);
    for (int k = 0; k <= DF_POISSON_MOST; k++)
        counts[k] = 0;
    for (int i = 0; i < DRAWS; i++) {
        const int drawn = df_poisson_draw(&poisson, &rng);
        assert_in_range(drawn, 0, most);
        counts[drawn]++;
    }
    df_poisson_close(&poisson);
}

static double probability(double mean, int k)
{
    return exp(k * log(mean) - mean - lgamma(k + 1.0));
}

static void check_moments(double mean)
{
    int64_t counts[DF_POISSON_MOST + 1];
    double sum = 0, square = 0;

    draw_counts(mean, DF_POISSON_MOST, counts);
    for (int k = 0; k <= DF_POISSON_MOST; k++) {
        sum += (double)counts[k] * k;
        square += (double)counts[k] * (k - mean) * (k - mean);
    }
    /* The variance of (k - mean)^2 is mean + 2 mean^2. */
    assert_true(fabs(sum / DRAWS - mean) < 4 * sqrt(mean / DRAWS));
    assert_true(fabs(square / DRAWS - mean) < 4 * sqrt((mean + 2 * mean * mean) / DRAWS));
}

static void check_probabilities(double mean, int most)
{
    int64_t counts[DF_POISSON_MOST + 1];
    double rest = 1;

    draw_counts(mean, most, counts);
    for (int k = 0; k <= most; k++) {
        const double share = k < most ? probability(mean, k) : rest;
        if (fabs((double)counts[k] - share * DRAWS) > 5 * sqrt(share * DRAWS) + 2)
            fail_msg("%lld draws of %d for a mean of %g, expected %.1f", (long long)counts[k], k, mean,
                     share * DRAWS);
        rest -= share;
    }
}

static const double means[] = {0.004, 0.1, 0.5, 1, 2.5, 5, 9.9, 12, 25, 60, 153, 500};

static void moments_are_those_of_the_mean(void **state)
{
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++)
        check_moments(means[i]);
}

static void every_count_is_as_likely_as_it_should_be(void **state)
{
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++)
        check_probabilities(means[i], DF_POISSON_MOST);
}

static void the_last_count_stands_for_all_above(void **state)
{
    check_probabilities(3, 3);
    check_probabilities(60, 60);
    check_probabilities(12, 5);
    check_probabilities(0.3, 1);
}

static void a_mean_of_nothing_draws_nothing(void **state)
{
    int64_t counts[DF_POISSON_MOST + 1];

    draw_counts(0, 60, counts);
    assert_int_equal(counts[0], DRAWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_those_of_the_mean),
        cmocka_unit_test(every_count_is_as_likely_as_it_should_be),
        cmocka_unit_test(the_last_count_stands_for_all_above),
        cmocka_unit_test(a_mean_of_nothing_draws_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
