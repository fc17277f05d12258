/* Plots: marks and bars where the values say, names that are safe, what is missing. */
#include "support/cmocka_all.h"
#include "support/markup.h"

#include "src/report/plot/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAR_COLOR   "#2f6690"
#define LEVEL_COLOR "#b5432a"
#define NO_LEVEL                                                                                             \
    {                                                                                                        \
        "", NAN                                                                                              \
    }

static char *drawn_bars(const struct df_bar_chart *chart)
{
    FILE *stream = tmpfile();
    assert_int_equal(df_plot_bars(stream, chart), 0);
    char *page = page_text(stream);
    assert_well_formed(page);
    return page;
}

static char *drawn_lines(const struct df_line_chart *chart)
{
    FILE *stream = tmpfile();
    df_plot_lines(stream, chart);
    char *page = page_text(stream);
    assert_well_formed(page);
    return page;
}

/* The number behind `name="` in the tag that starts at `tag`. */
static double attribute(const char *tag, const char *name)
{
    char pattern[32];
    snprintf(pattern, sizeof pattern, " %s=\"", name);
    const char *at = strstr(tag, pattern);
    assert_non_null(at);
    return strtod(at + strlen(pattern), NULL);
}

/* The rectangle number `index` of a colour. */
static const char *rectangle(const char *page, const char *color, int index)
{
    for (const char *at = strstr(page, "<rect "); at; at = strstr(at + 1, "<rect ")) {
        const char *end = strchr(at, '>'), *fill = strstr(at, color);
        if (fill && fill < end && index-- == 0)
            return at;
    }
    fail_msg("there is no such rectangle");
    return NULL;
}

static void assert_ratio(double a, double b, double expected)
{
    if (fabs(a / b - expected) > 0.003)
        fail_msg("%.2f and %.2f are not as 1 to %.3f", a, b, expected);
}

static void bars_have_their_lengths(void **state)
{
    const struct df_bar bars[] = {{"a", 40.0, 0}, {"b", 80.0, 0}, {"c", NAN, 0}, {"d", 0.0, 0}};
    const struct df_bar_chart chart = {.label = "IoU, %", .bars = bars, .count = 4, .level = {"clean", 60.0}};
    char *page = drawn_bars(&chart);

    const char *a = rectangle(page, BAR_COLOR, 0), *b = rectangle(page, BAR_COLOR, 1);
    assert_ratio(attribute(a, "width"), attribute(b, "width"), 0.5);
    assert_true(attribute(a, "y") < attribute(b, "y"));
    assert_true(attribute(rectangle(page, BAR_COLOR, 2), "width") == 0.0); /* d: c has no bar */
    const char *level = strstr(page, "stroke=\"" LEVEL_COLOR);
    assert_non_null(level);
    while (strncmp(level, "<line", 5) != 0)
        level--;
    assert_ratio(attribute(level, "x1") - attribute(a, "x"), attribute(b, "width"), 0.75);
    assert_int_equal(occurrences(page, ">40.0</text>"), 1);
    assert_int_equal(occurrences(page, ">\xe2\x80\x93</text>"), 1);
    assert_int_equal(occurrences(page, ">clean</text>"), 1);
    free(page);
}

static void bars_are_sorted_with_gaps_last(void **state)
{
    const struct df_bar bars[] = {
        {"low", 10, 0}, {"gap", NAN, 0}, {"same b", 50, 0}, {"high", 90, 0}, {"same a", 50, 0}};
    const struct df_bar_chart chart = {
        .label = "x", .bars = bars, .count = 5, .sorted = true, .level = NO_LEVEL};
    static const char *const order[] = {">high<", ">same a<", ">same b<", ">low<", ">gap<"};
    char *page = drawn_bars(&chart);
    const char *last = page;
    for (size_t i = 0; i < 5; i++) {
        const char *at = strstr(page, order[i]);
        assert_non_null(at);
        assert_true(at > last);
        last = at;
    }
    free(page);
}

static void second_bars_have_a_legend(void **state)
{
    const struct df_bar bars[] = {{"a", 40, 20}, {"b", 80, NAN}};
    const struct df_bar_chart chart = {
        .label = "mIoU", .second = "<reference>", .bars = bars, .count = 2, .level = NO_LEVEL};
    char *page = drawn_bars(&chart);
    assert_int_equal(occurrences(page, "fill=\"#a9bfd1\""), 2); /* the legend's and one bar */
    assert_ratio(attribute(rectangle(page, "#a9bfd1", 1), "width"),
                 attribute(rectangle(page, BAR_COLOR, 1), "width"), 0.5);
    assert_int_equal(occurrences(page, "&lt;reference&gt;"), 1);
    free(page);
}

/* 150 classes: no bar closer to its neighbour than its name is high, in panels that fit a page. */
static void many_bars_are_spread(void **state)
{
    enum { COUNT = 150 };
    struct df_bar bars[COUNT];
    char names[COUNT][32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "class_%d", i);
        bars[i] = (struct df_bar){names[i], i / 1.5, 0};
    }
    const struct df_bar_chart chart = {
        .label = "x", .bars = bars, .count = COUNT, .sorted = true, .level = NO_LEVEL};
    char *page = drawn_bars(&chart);
    assert_int_equal(occurrences(page, "<svg "), 4);
    assert_int_equal(occurrences(page, "fill=\"" BAR_COLOR "\""), COUNT);
    for (int i = 0; i < COUNT; i++) {
        char label[40];
        snprintf(label, sizeof label, ">class_%d<", i);
        assert_int_equal(occurrences(page, label), 1);
    }
    const double pitch =
        attribute(rectangle(page, BAR_COLOR, 1), "y") - attribute(rectangle(page, BAR_COLOR, 0), "y");
    assert_true(pitch >= 12.0);
    for (const char *svg = strstr(page, "<svg "); svg; svg = strstr(svg + 1, "<svg "))
        assert_true(attribute(svg, "height") < 900.0);
    free(page);
}

static void no_bars_are_no_drawing(void **state)
{
    const struct df_bar_chart chart = {.label = "x", .level = NO_LEVEL};
    char *page = drawn_bars(&chart);
    assert_string_equal(page, "");
    free(page);
}

static void names_are_cut_and_escaped(void **state)
{
    const struct df_bar bars[] = {
        {"<img src=x onerror=alert(1)> \"and so on\" & on \xff and on and on", 5, 0}, {"\xff", NAN, 0}};
    const struct df_bar_chart chart = {.label = "x", .bars = bars, .count = 2, .level = NO_LEVEL};
    char *page = drawn_bars(&chart);
    assert_int_equal(occurrences(page, "<img"), 0);
    assert_int_equal(occurrences(page,
                                 "<title>&lt;img src=x onerror=alert(1)&gt; &quot;and so on&quot; &amp; on "
                                 "\xef\xbf\xbd and on and on</title>"),
                     1);
    assert_int_equal(occurrences(page, "\xe2\x80\xa6</text>"), 1);
    free(page);
}

/* Round numbers whatever the values. */
static void axes_have_round_numbers(void **state)
{
    static const struct {
        double largest;
        const char *marks[3];
    } cases[] = {{97.0, {">10</text>", ">50</text>", ">100</text>"}},
                 {0.7, {">0.1</text>", ">0.5</text>", ">0.7</text>"}},
                 {3.0, {">0.5</text>", ">2.5</text>", ">3.0</text>"}},
                 {0.004, {">0.0005</text>", ">0.0025</text>", ">0.0040</text>"}},
                 {123456.0, {">20000</text>", ">100000</text>", ">140000</text>"}},
                 {0.0, {">0.1</text>", ">0.5</text>", ">1.0</text>"}},
                 {NAN, {">0.1</text>", ">0.5</text>", ">1.0</text>"}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct df_bar bar = {"a", cases[i].largest, 0};
        const struct df_bar_chart chart = {.label = "x", .bars = &bar, .count = 1, .level = NO_LEVEL};
        char *page = drawn_bars(&chart);
        for (int mark = 0; mark < 3; mark++) {
            if (occurrences(page, cases[i].marks[mark]) == 0)
                fail_msg("%s is missing for %g", cases[i].marks[mark], cases[i].largest);
        }
        free(page);
    }
}

/* "M1 2L3 4": the points of the first path with so many of them. */
static int path_points(const char *page, char kinds[16], double x[16], double y[16])
{
    const char *at = strstr(page, " d=\"M");
    int count = 0;
    assert_non_null(at);
    at += 4;
    while (*at == 'M' || *at == 'L') {
        char *end;
        kinds[count] = *at;
        x[count] = strtod(at + 1, &end);
        y[count] = strtod(end, &end);
        at = end;
        count++;
    }
    return count;
}

static void lines_go_through_their_points(void **state)
{
    static const char *const severities[] = {"1", "2", "3", "4", "5"};
    const struct df_line line = {"noise", {60, 40, NAN, 20, 0}};
    const struct df_line_chart chart = {.title = "<family>",
                                        .x_label = "severity",
                                        .y_label = "mIoU, %",
                                        .x_names = severities,
                                        .n_points = 5,
                                        .lines = &line,
                                        .n_lines = 1,
                                        .most = 80,
                                        .level = {"clean", 60}};
    char kinds[16];
    double x[16], y[16];
    char *page = drawn_lines(&chart);

    assert_int_equal(path_points(page, kinds, x, y), 4);
    assert_memory_equal(kinds, "MLML", 4); /* not across the gap */
    assert_ratio(x[2] - x[1], x[1] - x[0], 2.0);
    assert_ratio(y[1] - y[0], y[2] - y[1], 1.0);
    assert_ratio(y[3] - y[2], y[1] - y[0], 1.0);
    const char *level = strstr(page, "stroke=\"" LEVEL_COLOR);
    while (strncmp(level, "<line", 5) != 0)
        level--;
    assert_true(fabs(attribute(level, "y1") - y[0]) < 0.11); /* at 60, too */
    assert_int_equal(occurrences(page, "<circle"), 5);       /* four points and the legend */
    assert_int_equal(occurrences(page, ">80</text>"), 1);    /* the axis reaches `most` */
    assert_int_equal(occurrences(page, "&lt;family&gt;</text>"), 1);
    free(page);
}

/* No two of 36 lines share colour, mark and dashes. */
static void lines_differ(void **state)
{
    enum { LINES = 36 };
    static const char *const names[] = {"only"};
    struct df_line lines[LINES];
    char *looks[LINES];
    for (int i = 0; i < LINES; i++)
        lines[i] = (struct df_line){"x", {i}};
    for (int i = 0; i < LINES; i++) {
        const struct df_line_chart chart = {.x_label = "",
                                            .y_label = "",
                                            .x_names = names,
                                            .n_points = 1,
                                            .lines = lines,
                                            .n_lines = (size_t)i + 1,
                                            .level = NO_LEVEL};
        char *page = drawn_lines(&chart), *last = NULL;
        /* The last line's look in the legend: from its path to its name. */
        for (char *at = strstr(page, "<path fill=\"none\""); at; at = strstr(at + 1, "<path fill=\"none\""))
            last = at;
        char *end = strstr(last, " d=\"");
        char *mark = strchr(strchr(last, '\n'), '<');
        looks[i] = malloc(512);
        snprintf(looks[i], 512, "%.*s %.8s", (int)(end - last), last, mark);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(looks[other], looks[i]);
        free(page);
    }
    for (int i = 0; i < LINES; i++)
        free(looks[i]);
}

static char *drawn_curves(const struct df_curve *curves, size_t count)
{
    const struct df_curve_chart chart = {
        .title = "<loss>", .x_label = "epoch", .y_label = "loss", .curves = curves, .n_curves = count};
    FILE *stream = tmpfile();
    assert_int_equal(df_plot_curves(stream, &chart), 0);
    char *page = page_text(stream);
    assert_well_formed(page);
    return page;
}

static void curves_go_through_their_points(void **state)
{
    const double x[] = {0, 1, 2, 4, 8}, y[] = {4, 2, NAN, 1, 0};
    const struct df_curve curve = {
        .name = "<run>", .x = x, .y = y, .count = 5, .best = 3, .best_name = "best & 1.00"};
    char kinds[16];
    double at_x[16], at_y[16];
    char *page = drawn_curves(&curve, 1);

    assert_int_equal(path_points(page, kinds, at_x, at_y), 4);
    assert_memory_equal(kinds, "MLML", 4); /* not across the gap */
    assert_ratio(at_x[2] - at_x[0], at_x[1] - at_x[0], 4.0);
    assert_ratio(at_x[3] - at_x[0], at_x[1] - at_x[0], 8.0);
    assert_ratio(at_y[1] - at_y[0], at_y[3] - at_y[0], 0.5);
    assert_int_equal(occurrences(page, ">&lt;run&gt;</text>"), 1);
    assert_int_equal(occurrences(page, ">best &amp; 1.00</text>"), 1);
    const char *ring = strstr(page, "fill=\"none\" stroke=\"#1b1e22\" stroke-width=\"1.6\"");
    assert_non_null(ring);
    while (strncmp(ring, "<circle", 7) != 0)
        ring--;
    assert_true(fabs(attribute(ring, "cx") - at_x[2]) < 0.11 && fabs(attribute(ring, "cy") - at_y[2]) < 0.11);
    assert_int_equal(occurrences(page, ">0</text>"), 2); /* of both axes, and no -0 */
    free(page);
}

/* Differences between values that are far from zero can be seen. */
static void axes_of_curves_begin_where_their_values_do(void **state)
{
    const double x[] = {1, 2}, y[] = {78.2, 81.4};
    const struct df_curve curve = {.name = "run", .x = x, .y = y, .count = 2, .best = -1};
    char kinds[16];
    double at_x[16], at_y[16];
    char *page = drawn_curves(&curve, 1);

    assert_int_equal(path_points(page, kinds, at_x, at_y), 2);
    assert_true(at_y[0] - at_y[1] > 100.0);
    assert_int_equal(occurrences(page, ">78</text>"), 1);
    assert_int_equal(occurrences(page, ">82</text>"), 1);
    free(page);
}

/* Names of curves that end at one place do not lie on each other. */
static void names_of_curves_are_apart(void **state)
{
    enum { CURVES = 20 };
    const double x[] = {0, 1}, y[] = {0, 1};
    struct df_curve curves[CURVES];
    double last = -INFINITY;

    for (int i = 0; i < CURVES; i++)
        curves[i] = (struct df_curve){
            .name = "same", .x = x, .y = y, .count = 2, .look = (size_t)i, .best = -1, .is_faint = i == 0};
    char *page = drawn_curves(curves, CURVES);
    assert_int_equal(occurrences(page, ">same</text>"), CURVES);
    for (const char *at = strstr(page, ">same</text>"); at; at = strstr(at + 1, ">same</text>")) {
        const char *tag = at;
        while (strncmp(tag, "<text", 5) != 0)
            tag--;
        assert_true(attribute(tag, "y") >= last + 17.9);
        last = attribute(tag, "y");
    }
    free(page);
}

static void no_numbers_are_no_chart(void **state)
{
    const double x[] = {0, 1}, y[] = {NAN, INFINITY};
    const struct df_curve curve = {.name = "run", .x = x, .y = y, .count = 2, .best = -1};
    char *page = drawn_curves(&curve, 1);

    assert_string_equal(page, "");
    free(page);
}

static void histograms_count(void **state)
{
    const double values[] = {0.0, 4.9, 5.0, 99.9, 100.0, NAN, 52.0};
    const struct df_histogram histogram = {
        .x_label = "mIoU, %", .y_label = "<images>", .values = values, .count = 7, .most = 100, .n_bins = 20};
    FILE *stream = tmpfile();
    df_plot_histogram(stream, &histogram);
    char *page = page_text(stream);
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "fill=\"" BAR_COLOR "\""),
                     4); /* 0 .. 5, 5 .. 10, 50 .. 55, 95 .. 100 */
    assert_ratio(attribute(rectangle(page, BAR_COLOR, 0), "height"),
                 attribute(rectangle(page, BAR_COLOR, 1), "height"), 2.0);
    assert_ratio(attribute(rectangle(page, BAR_COLOR, 3), "height"),
                 attribute(rectangle(page, BAR_COLOR, 1), "height"), 2.0);
    const char *first = rectangle(page, BAR_COLOR, 0), *third = rectangle(page, BAR_COLOR, 2);
    const char *last = rectangle(page, BAR_COLOR, 3);
    assert_ratio(attribute(third, "x") - attribute(first, "x"), attribute(last, "x") - attribute(first, "x"),
                 10.0 / 19);
    assert_int_equal(occurrences(page, "&lt;images&gt;"), 1);
    free(page);
}

static void heat_maps_color_and_group(void **state)
{
    const double first[] = {0.0, 50.0, 100.0}, second[] = {NAN, 1.0, 2.0};
    const char *const columns[] = {"1", "2", "<mean>"};
    const struct df_heat_row rows[] = {{"noise", "a & b", first, NULL},
                                       {"noise", "c", second, NULL},
                                       {"weather", "frost", NULL, "no \"photographs\""}};
    const struct df_heat_map map = {.corner = "mIoU",
                                    .columns = columns,
                                    .n_columns = 3,
                                    .n_apart = 1,
                                    .rows = rows,
                                    .n_rows = 3,
                                    .least = 0,
                                    .most = 100,
                                    .decimals = 1};
    FILE *stream = tmpfile();
    df_plot_heat_map(stream, &map);
    char *page = page_text(stream);
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "class=\"group\""), 2);
    assert_int_equal(occurrences(page, "color:#fff\">100.0<"), 1); /* dark */
    assert_int_equal(occurrences(page, "color:#111\">0.0<"), 1);   /* light */
    assert_int_equal(occurrences(page, "class=\"apart\""), 2);
    assert_int_equal(occurrences(page, ">\xe2\x80\x93</td>"), 1);
    assert_int_equal(occurrences(page, "<td colspan=\"3\" class=\"note\">no &quot;photographs&quot;</td>"),
                     1);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_have_their_lengths),
        cmocka_unit_test(bars_are_sorted_with_gaps_last),
        cmocka_unit_test(second_bars_have_a_legend),
        cmocka_unit_test(many_bars_are_spread),
        cmocka_unit_test(no_bars_are_no_drawing),
        cmocka_unit_test(names_are_cut_and_escaped),
        cmocka_unit_test(axes_have_round_numbers),
        cmocka_unit_test(lines_go_through_their_points),
        cmocka_unit_test(lines_differ),
        cmocka_unit_test(curves_go_through_their_points),
        cmocka_unit_test(axes_of_curves_begin_where_their_values_do),
        cmocka_unit_test(names_of_curves_are_apart),
        cmocka_unit_test(no_numbers_are_no_chart),
        cmocka_unit_test(histograms_count),
        cmocka_unit_test(heat_maps_color_and_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
