/* Where weights are looked for, in folders of the scratch folder that the test runs in. */
#include "dinoft/weight_search.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/text.h"
#include "files/file_support.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *made[16]; /* removed after each test, the last first */
static int n_made;
static char *installed; /* PREFIX/share/dinoft/weights of this program */

static void make_folder(const char *path)
{
    assert_int_equal(df_make_folder(path), 0);
    made[n_made++] = path;
}

static void make_file(const char *path)
{
    assert_int_equal(df_atomic_write(path, "x", 1), 0);
    made[n_made++] = path;
}

static int set_variables(void **state)
{
    return setenv("DINOFT_WEIGHTS", "a:b", 1) | setenv("XDG_DATA_HOME", "/data", 1) |
           setenv("HOME", "/home/x", 1);
}

static int remove_made(void **state)
{
    int status = 0;

    while (n_made > 0)
        status |= remove(made[--n_made]);
    return status;
}

static int enter_scratch(void **state)
{
    return chdir(scratch_folder());
}

static int leave_scratch(void **state)
{
    return chdir("..") == 0 ? scratch_remove(state) : -1;
}

/* The list is `expected`, which ends with NULL, and then the installed folder. */
static void assert_folders(const char *const expected[])
{
    struct df_weight_folders folders;
    int count = 0;

    assert_int_equal(df_weight_folders_list(&folders), 0);
    for (; expected[count]; count++) {
        assert_true(count < folders.count);
        assert_string_equal(folders.paths[count], expected[count]);
    }
    assert_int_equal(folders.count, count + 1);
    assert_string_equal(folders.paths[count], installed);
    df_weight_folders_free(&folders);
}

static void assert_path(char *found, const char *expected)
{
    assert_works(found);
    assert_string_equal(found, expected);
    free(found);
}

static void folders_come_in_order_and_once(void **state)
{
    setenv("DINOFT_WEIGHTS", ":/a b::c//:/a b/:/:weights:/data/dinoft/weights:", 1);
    assert_folders((const char *const[]){"/a b", "c", "/", "weights", "/data/dinoft/weights", NULL});
    setenv("DINOFT_WEIGHTS", "", 1);
    assert_folders((const char *const[]){"weights", "/data/dinoft/weights", NULL});
    unsetenv("DINOFT_WEIGHTS");
    assert_folders((const char *const[]){"weights", "/data/dinoft/weights", NULL});
}

static void the_home_is_where_no_absolute_path_is_given(void **state)
{
    static const char *const usual[] = {"a", "b", "weights", "/home/x/.local/share/dinoft/weights", NULL};

    setenv("XDG_DATA_HOME", "data", 1);
    assert_folders(usual);
    setenv("XDG_DATA_HOME", "", 1);
    assert_folders(usual);
    unsetenv("XDG_DATA_HOME");
    assert_folders(usual);
}

static void without_home_the_password_entry_counts(void **state)
{
    static const char *const homes[] = {"", "x", NULL};
    const struct passwd *entry = getpwuid(getuid());
    char *users = entry && entry->pw_dir[0] == '/'
                      ? df_text_format("%s/.local/share/dinoft/weights", entry->pw_dir)
                      : NULL;

    unsetenv("XDG_DATA_HOME");
    for (int i = 0; homes[i]; i++) {
        setenv("HOME", homes[i], 1);
        assert_folders((const char *const[]){"a", "b", "weights", users, NULL});
    }
    unsetenv("HOME");
    assert_folders((const char *const[]){"a", "b", "weights", users, NULL});
    free(users);
}

static void folders_count_before_endings(void **state)
{
    make_folder("a");
    make_folder("b");
    make_file("b/net.safetensors");
    assert_path(df_find_backbone("net"), "b/net.safetensors");
    make_file("a/net.onnx");
    assert_path(df_find_backbone("net"), "a/net.onnx");
    make_file("a/net.pth");
    assert_path(df_find_backbone("net"), "a/net.pth");
    make_folder("a/net.safetensors"); /* no file */
    assert_path(df_find_backbone("net"), "a/net.pth");
    make_folder("weights");
    make_file("weights/other.pth");
    assert_path(df_find_backbone("other"), "weights/other.pth");
}

static void typed_names_are_found_with_and_without_ending(void **state)
{
    make_folder("b");
    make_file("b/net.onnx");
    assert_path(df_find_typed_weights("net"), "b/net.onnx");
    assert_path(df_find_typed_weights("net.onnx"), "b/net.onnx");
    make_file("b/net"); /* as it is comes first */
    assert_path(df_find_typed_weights("net"), "b/net");
    make_folder("net"); /* no file */
    assert_path(df_find_typed_weights("net"), "b/net");
    make_file("net.onnx"); /* here comes before all */
    assert_path(df_find_typed_weights("net.onnx"), "net.onnx");
    assert_path(df_find_typed_weights("net"), "b/net");
    assert_path(df_find_typed_weights("./net.pth"), "./net.pth"); /* a path is not looked for */
}

static void subfolders_are_found(void **state)
{
    make_folder("a");
    make_file("a/frost"); /* no folder */
    make_folder("weights");
    make_folder("weights/frost");
    assert_path(df_find_weight_subfolder("frost"), "weights/frost");
    make_folder("b");
    make_folder("b/frost");
    assert_path(df_find_weight_subfolder("frost"), "b/frost");
}

static void assert_error(char *found, const char *format)
{
    char *expected = df_text_format(format, installed);

    assert_null(found);
    assert_string_equal(df_error_text(), expected);
    free(expected);
}

static void errors_list_where_it_was_looked(void **state)
{
    assert_error(
        df_find_backbone("net"),
        "no backbone net: there is no .safetensors, .pth or .onnx file of that name in a, b, weights, "
        "/data/dinoft/weights or %s; scripts/get_weights.py net (installed: dinoft-get-weights net) "
        "fetches it");
    assert_error(df_find_typed_weights("net"),
                 "no such file here, nor one of that name, as it is or with .safetensors, .pth "
                 "or .onnx, in a, b, weights, /data/dinoft/weights or %s; scripts/get_weights.py --list "
                 "(installed: dinoft-get-weights --list) says what can be fetched");
    assert_error(df_find_weight_subfolder("frost"),
                 "there is no folder frost in a, b, weights, /data/dinoft/weights or %s");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_variables, remove_made)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_come_in_order_and_once),
        TEST(the_home_is_where_no_absolute_path_is_given),
        TEST(without_home_the_password_entry_counts),
        TEST(folders_count_before_endings),
        TEST(typed_names_are_found_with_and_without_ending),
        TEST(subfolders_are_found),
        TEST(errors_list_where_it_was_looked),
    };
    char *program = argc > 0 ? realpath(argv[0], NULL) : NULL;
    char *folder = program ? df_path_folder(program) : NULL;
    char *prefix = folder ? df_path_folder(folder) : NULL;
    int status = 1;

    installed = prefix ? df_text_format("%s/share/dinoft/weights", prefix) : NULL;
    if (installed)
        status = cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
    free(installed);
    free(prefix);
    free(folder);
    free(program);
    return status;
}
