/* Event files: their bytes, read back by a reader of the test's own; going on behind a step, whatever is at
 * the files' ends. */
#include "files/child.h"
#include "files/file_support.h"
#include "support/allocations.h"
#include "support/errors.h"
#include "support/scratch.h"

#include "dinoft/event_file.h"
#include "src/files/crc32c.h"
#include "src/files/event_folder.h"
#include "src/files/event_record.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RECORD_OVERHEAD 16

/* RFC 3720, B.4, and the check value that catalogues of checksums have. */
static void checksums(void **state)
{
    unsigned char bytes[32];
    static const unsigned char command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};

    memset(bytes, 0, sizeof bytes);
    assert_int_equal(df_crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(df_crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(df_crc32c(bytes, sizeof bytes), 0x46dd794e);
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(sizeof bytes - 1 - i);
    assert_int_equal(df_crc32c(bytes, sizeof bytes), 0x113fdb5c);
    assert_int_equal(df_crc32c(command, sizeof command), 0xd9963a56);
    assert_int_equal(df_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(df_crc32c("", 0), 0);
}

static uint64_t number_of(const unsigned char *bytes, int size)
{
    uint64_t value = 0;

    memcpy(&value, bytes, (size_t)size); /* the tests run where the lowest byte is the first */
    return value;
}

/* A bit at a time. */
static uint32_t masked_checksum(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < 8 * size; i++) {
        const uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

struct piece {
    const unsigned char *at;
    size_t size;
};

/* The next record's event; the test fails where it is not whole. */
static struct piece take_event(struct piece *rest)
{
    assert_true(rest->size >= RECORD_OVERHEAD);
    const struct piece event = {rest->at + 12, (size_t)number_of(rest->at, 8)};
    assert_true(event.size <= rest->size - RECORD_OVERHEAD);
    assert_int_equal(number_of(rest->at + 8, 4), masked_checksum(rest->at, 8));
    assert_int_equal(number_of(event.at + event.size, 4), masked_checksum(event.at, event.size));
    rest->at += event.size + RECORD_OVERHEAD;
    rest->size -= event.size + RECORD_OVERHEAD;
    return event;
}

static uint64_t take_varint(struct piece *rest)
{
    uint64_t value = 0;
    int shift = 0;

    for (;; shift += 7) {
        assert_true(rest->size > 0 && shift < 64);
        rest->size--;
        value |= (uint64_t)(*rest->at & 0x7f) << shift;
        if (*rest->at++ < 0x80)
            return value;
    }
}

/* The n-th field (from 0) of the number, which is there: its value, or its bytes. */
static uint64_t field(struct piece message, uint64_t number, int n, struct piece *bytes)
{
    while (message.size > 0) {
        const uint64_t key = take_varint(&message);
        const unsigned wire = key & 7;
        struct piece value = {message.at, wire == 1 ? 8 : wire == 5 ? 4 : 0};
        uint64_t content = 0;
        assert_true(wire == 0 || wire == 1 || wire == 2 || wire == 5);
        if (wire == 0 || wire == 2)
            content = take_varint(&message);
        if (wire == 2)
            value = (struct piece){message.at, content};
        assert_true(value.size <= message.size);
        if (wire == 1 || wire == 5)
            content = number_of(value.at, (int)value.size);
        message.at += value.size;
        message.size -= value.size;
        if (key >> 3 == number && n-- == 0) {
            if (bytes)
                *bytes = value;
            return content;
        }
    }
    fail_msg("there is no field %d", (int)number);
    return 0;
}

static struct piece inner(struct piece message, uint64_t number, int n)
{
    struct piece bytes = {0};

    field(message, number, n, &bytes);
    return bytes;
}

static void assert_is(struct piece piece, const char *text)
{
    assert_int_equal(piece.size, strlen(text));
    assert_memory_equal(piece.at, text, piece.size);
}

static void assert_float(struct piece piece, float expected)
{
    float value;

    assert_int_equal(piece.size, sizeof value);
    memcpy(&value, piece.at, sizeof value);
    assert_true(value == expected || (isnan(value) && isnan(expected)));
}

static void assert_wall_time(struct piece event)
{
    double value;
    const struct piece bytes = inner(event, 1, 0);

    assert_int_equal(bytes.size, sizeof value);
    memcpy(&value, bytes.at, sizeof value);
    assert_true(value > 1.7e9);
}

/* Each test has a folder of its own. */
static const char *new_folder(void)
{
    static int count;
    char name[32];

    snprintf(name, sizeof name, "run%d", count++);
    return scratch_path(name);
}

/* The folder's file of that number, of so many; the caller frees. */
static struct piece read_one(const char *folder, size_t number, size_t count)
{
    struct df_event_folder ours;
    struct piece file;

    assert_int_equal(df_event_folder_list(folder, &ours), 0);
    assert_int_equal(ours.count, count);
    file.at = read_whole(ours.paths[number], &file.size);
    df_event_folder_clear(&ours);
    return file;
}

static void take_start(struct piece *rest, int64_t step)
{
    struct piece event = take_event(rest);

    assert_is(inner(event, 3, 0), "brain.Event:2");
    assert_wall_time(event);
    event = take_event(rest);
    assert_int_equal(field(inner(event, 7, 0), 1, 0, NULL), 1);
    if (step > 0)
        assert_int_equal(field(event, 2, 0, NULL), step);
}

static void an_event_of_each_kind(void **state)
{
    static unsigned char png[20000];
    const char *folder = new_folder();
    const struct df_event_scalar scalars[] = {{"train/loss", 0.5}, {"rate\xff", NAN}, {"c", -INFINITY}};
    const struct df_event_image image = {"picture", "*mine*", png, sizeof png, 300, 200},
                                plain = {.tag = "p", .png = png};

    memset(png, 0xa5, sizeof png);
    struct df_event_file *file = df_event_file_open(folder);
    assert_works(file);
    assert_works(df_event_file_text(file, 0, "settings", "| a |") == 0);
    assert_works(df_event_file_scalars(file, 300, scalars, 3) == 0);
    assert_works(df_event_file_image(file, INT64_C(1) << 40, &image) == 0);
    assert_works(df_event_file_image(file, INT64_C(1) << 40, &plain) == 0);
    assert_works(df_event_file_close(file) == 0);
    const struct piece whole = read_one(folder, 0, 1);
    struct piece rest = whole;
    take_start(&rest, 0);

    struct piece event = take_event(&rest), value = inner(inner(event, 5, 0), 1, 0);
    assert_wall_time(event);
    assert_is(inner(value, 1, 0), "settings");
    assert_is(inner(inner(inner(value, 9, 0), 1, 0), 1, 0), "text");
    assert_int_equal(field(inner(value, 8, 0), 1, 0, NULL), 7);
    assert_int_equal(inner(inner(value, 8, 0), 2, 0).size, 0);
    assert_is(inner(inner(value, 8, 0), 8, 0), "| a |");

    event = take_event(&rest);
    assert_int_equal(field(event, 2, 0, NULL), 300);
    assert_is(inner(inner(inner(event, 5, 0), 1, 0), 1, 0), "train/loss");
    assert_float(inner(inner(inner(event, 5, 0), 1, 0), 2, 0), 0.5f);
    assert_is(inner(inner(inner(event, 5, 0), 1, 1), 1, 0), "rate\\xFF");
    assert_float(inner(inner(inner(event, 5, 0), 1, 1), 2, 0), NAN);
    assert_float(inner(inner(inner(event, 5, 0), 1, 2), 2, 0), -INFINITY);

    event = take_event(&rest);
    assert_int_equal(field(event, 2, 0, NULL), INT64_C(1) << 40);
    value = inner(inner(event, 5, 0), 1, 0);
    assert_is(inner(inner(value, 9, 0), 3, 0), "*mine*");
    assert_int_equal(field(inner(value, 4, 0), 1, 0, NULL), 200);
    assert_int_equal(field(inner(value, 4, 0), 2, 0, NULL), 300);
    assert_int_equal(inner(inner(value, 4, 0), 4, 0).size, sizeof png);
    assert_memory_equal(inner(inner(value, 4, 0), 4, 0).at, png, sizeof png);
    assert_int_equal(inner(inner(inner(inner(take_event(&rest), 5, 0), 1, 0), 4, 0), 4, 0).size, 0);
    assert_int_equal(rest.size, 0);
    free((void *)whole.at);
}

/* Writes a scalar at each of the steps. */
static void write_steps(struct df_event_file *file, int64_t first, int64_t last)
{
    assert_works(file);
    for (int64_t step = first; step <= last; step++) {
        const struct df_event_scalar scalar = {"loss", (double)step};
        assert_works(df_event_file_scalars(file, step, &scalar, 1) == 0);
    }
    assert_works(df_event_file_sync(file) == 0);
    assert_works(df_event_file_close(file) == 0);
}

/* The file that begins at the step has those up to the last one, each once. */
static void assert_steps(const char *folder, size_t number, size_t count, int64_t first, int64_t last)
{
    const struct piece whole = read_one(folder, number, count);
    struct piece rest = whole;

    take_start(&rest, number == 0 ? 0 : first);
    for (int64_t step = first; step <= last; step++)
        assert_int_equal(field(take_event(&rest), 2, 0, NULL), step);
    assert_int_equal(rest.size, 0);
    free((void *)whole.at);
}

struct going_on {
    const char *folder;
    int64_t first, last;
};

static void go_on(void *context)
{
    const struct going_on *on = context;

    const struct df_event_place place = {on->first - 1, INT64_MAX};

    write_steps(df_event_file_continue(on->folder, &place, NULL), on->first, on->last);
}

/* What is said of it: "" or the words. */
static void assert_goes_on(const char *folder, int64_t first, int64_t last, const char *words)
{
    char text[1024];
    struct going_on on = {folder, first, last};

    assert_exited(run_child(go_on, &on, text, sizeof text), 0, text);
    if (*words ? !strstr(text, words) : *text != '\0')
        fail_msg("said '%s', not '%s'", text, words);
}

static int64_t count_summaries(const char *folder)
{
    struct df_event_folder ours;
    int64_t count = 0;

    assert_int_equal(df_event_folder_list(folder, &ours), 0);
    for (size_t i = 0; i < ours.count; i++) {
        const struct piece whole = read_one(folder, i, ours.count);
        struct df_event_place all = {INT64_MAX, INT64_MAX};
        count += df_event_records_scan((const unsigned char *)whole.at, whole.size, &all).summaries;
        free((void *)whole.at);
    }
    df_event_folder_clear(&ours);
    return count;
}

static void going_on_behind_a_step(void **state)
{
    const char *folder = new_folder();

    write_steps(df_event_file_open(folder), 1, 200);
    assert_goes_on(folder, 151, 180, "");
    assert_steps(folder, 0, 2, 1, 150);
    assert_steps(folder, 1, 2, 151, 180);
    assert_goes_on(folder, 181, 182, ""); /* nothing to cut */
    assert_steps(folder, 1, 3, 151, 180);
    assert_steps(folder, 2, 3, 181, 182);
    assert_goes_on(folder, 101, 300, ""); /* the other two have nothing before that */
    assert_steps(folder, 0, 2, 1, 100);
    assert_steps(folder, 1, 2, 101, 300);
    assert_goes_on(folder, 1, 2, ""); /* the run's start */
    assert_steps(folder, 0, 1, 1, 2);
}

/* Of the last step some events are of the time before, whatever files they are in: what came after them comes
 * again. */
static void going_on_within_a_step(void **state)
{
    const char *folder = new_folder();
    const struct df_event_scalar scalar = {"loss", 1.0};
    const struct df_event_place places[] = {{2, 2}, {2, 3}, {2, 1}};
    const int64_t kept[] = {3, 4, 2}; /* with that of step 1 */

    (void)state;
    struct df_event_file *file = df_event_file_open(folder);
    for (int i = 0; i < 5; i++)
        assert_works(df_event_file_scalars(file, i < 1 ? 1 : 2, &scalar, 1) == 0);
    assert_int_equal(df_event_file_place(file).events, 4);
    assert_int_equal(df_event_file_place(file).step, 2);
    assert_works(df_event_file_close(file) == 0);
    for (int i = 0; i < 3; i++) {
        file = df_event_file_continue(folder, &places[i], NULL);
        assert_works(file);
        assert_int_equal(count_summaries(folder), kept[i]);
        assert_works(df_event_file_scalars(file, 2, &scalar, 1) == 0);
        assert_int_equal(df_event_file_place(file).events, places[i].events + 1);
        assert_works(df_event_file_close(file) == 0);
    }
}

static void nothing_to_go_on_from(void **state)
{
    const char *folder = new_folder();

    assert_goes_on(folder, 51, 60,
                   "has no events of the steps before: TensorBoard shows what comes after step 50");
    const struct piece whole = read_one(folder, 0, 1);
    struct piece rest = whole;
    take_start(&rest, 51);
    assert_int_equal(field(take_event(&rest), 2, 0, NULL), 51);
    free((void *)whole.at);
}

static void append(const char *folder, const char *bytes, size_t size)
{
    struct df_event_folder ours;

    assert_int_equal(df_event_folder_list(folder, &ours), 0);
    FILE *file = fopen(ours.paths[ours.count - 1], "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    df_event_folder_clear(&ours);
}

static void a_torn_end(void **state)
{
    const char *folder = new_folder();

    write_steps(df_event_file_open(folder), 1, 9);
    append(folder, "\x30\0\0\0\0\0\0\0torn", 12);
    assert_goes_on(folder, 10, 12, "warning: the last 12 bytes of");
    assert_steps(folder, 0, 2, 1, 9);
    append(folder, "torn", 4);
    assert_goes_on(folder, 11, 12, ""); /* behind what is cut away in any case */
    assert_steps(folder, 0, 3, 1, 9);
    assert_steps(folder, 1, 3, 10, 10);
}

/* All that is not damaged. */
static struct df_event_scan scan_all(const unsigned char *bytes, size_t size)
{
    struct df_event_place left = {4, INT64_MAX};

    return df_event_records_scan(bytes, size, &left);
}

/* At each place, cut off and changed: the whole records before it are found, and nothing else. */
static void any_damage(void **state)
{
    const char *folder = new_folder();

    write_steps(df_event_file_open(folder), 1, 4);
    const struct piece whole = read_one(folder, 0, 1);
    unsigned char *bytes = (unsigned char *)whole.at;
    struct piece rest = whole;
    while (rest.size > 0) {
        const size_t from = whole.size - rest.size;
        take_event(&rest);
        for (size_t at = from; at < whole.size - rest.size; at++) {
            struct df_event_scan scan = scan_all(bytes, at);
            assert_int_equal(scan.kept, from);
            assert_int_equal(scan.damaged, at > from);
            bytes[at] ^= 0x10;
            scan = scan_all(bytes, whole.size);
            bytes[at] ^= 0x10;
            assert_int_equal(scan.kept, from);
            assert_true(scan.damaged);
        }
    }
    const struct df_event_scan scan = scan_all(bytes, whole.size);
    assert_int_equal(scan.kept, whole.size);
    assert_int_equal(scan.summaries, 4);
    assert_int_equal(scan.last_step, 4);
    free(bytes);
}

/* Ours are told by their names; others' stay, and a new one comes behind one of a clock that was ahead. */
static void whose_files(void **state)
{
    const char *folder = new_folder(), *missing = new_folder();
    struct df_event_folder ours;
    char path[512];

    assert_works(df_event_files_check_none(missing, "") == 0);
    assert_works(df_event_files_remove(missing) == 0);
    write_steps(df_event_file_open(folder), 1, 2);
    write_steps(df_event_file_open(folder), 1, 2); /* within the same second */
    static const char *const others[] = {"events.out.tfevents.1796047799.host.1.0", "a.dinoft",
                                         "events.out.tfevents.179604779.h.dinoft"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", strrchr(folder, '/') + 1, others[i]);
        scratch_write_text(path, "others'");
    }
    assert_int_equal(df_event_files_check_none(folder, "; --overwrite"), -1);
    assert_error_has(".dinoft is there already, from another run; --overwrite");
    assert_works(df_event_files_remove(folder) == 0);
    assert_works(df_event_files_check_none(folder, "") == 0);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        assert_int_equal(access(path, F_OK), 0);
    }

    write_steps(df_event_file_open(folder), 1, 2);
    assert_int_equal(df_event_folder_list(folder, &ours), 0);
    snprintf(path, sizeof path, "%s/events.out.tfevents.9000000000.host.1.0.dinoft", folder);
    assert_int_equal(rename(ours.paths[0], path), 0);
    df_event_folder_clear(&ours);
    assert_goes_on(folder, 3, 4, "");
    assert_steps(folder, 1, 2, 3, 4);
}

/* The limit stands for a full disk. */
static void a_full_disk(void **state)
{
    struct rlimit before, limit;
    const char *folder = new_folder();
    const struct df_event_scalar scalar = {"loss", 1};
    struct df_event_file *file = df_event_file_open(folder);

    assert_works(file);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){100000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int64_t step = 1;
    while (step < 10000 && df_event_file_scalars(file, step, &scalar, 1) == 0)
        step++;
    assert_in_range(step, 1500, 3500);
    assert_error_has("File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(df_event_file_scalars(file, step, &scalar, 1), -1); /* a record would be missing */
    assert_int_equal(df_event_file_sync(file), -1);
    assert_error_has("cannot write ");
    assert_error_has(".dinoft: File too large");
    assert_int_equal(df_event_file_close(file), 0); /* that was told */
    assert_goes_on(folder, 1000, 1001, "");
    assert_steps(folder, 0, 2, 1, 999);
}

/* An event that there was no memory for is missing, and no other. */
static void without_memory(void **state)
{
    const char *folder = new_folder();
    int64_t lost = 0;

    if (!allocations_can_be_counted())
        skip();
    char *large = calloc(200001, 1);
    assert_non_null(large);
    struct df_event_file *file = df_event_file_open(folder);
    assert_works(file);
    memset(large, 'a', 200000);
    for (int status = -1; status != 0; lost += status != 0) {
        allocations_fail(lost, 1);
        status = df_event_file_text(file, lost + 1, "a", large);
        assert_int_equal(status != 0, lost < allocations_end_failing());
    }
    assert_true(lost > 1);
    assert_works(df_event_file_close(file) == 0);
    assert_steps(folder, 0, 1, lost + 1, lost + 1);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums),
        cmocka_unit_test(an_event_of_each_kind),
        cmocka_unit_test(going_on_behind_a_step),
        cmocka_unit_test(going_on_within_a_step),
        cmocka_unit_test(nothing_to_go_on_from),
        cmocka_unit_test(a_torn_end),
        cmocka_unit_test(any_damage),
        cmocka_unit_test(whose_files),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
