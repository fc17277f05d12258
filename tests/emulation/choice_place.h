/* A cache folder of the test's own, and the one file of choices that it holds. */
#ifndef EMULATION_CHOICE_PLACE_H
#define EMULATION_CHOICE_PLACE_H

#include "support/cmocka_all.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char folder[64], file[512]; /* the cache's folder, and the file in it once there is one */
};

static inline int make_place(void **state)
{
    static struct place place;

    place = (struct place){.folder = "/tmp/dinoft-test-XXXXXX"};
    if (!mkdtemp(place.folder))
        return -1;
    setenv("XDG_CACHE_HOME", place.folder, 1);
    unsetenv("DINOFT_CUDA_ALGO");
    *state = &place;
    return 0;
}

/* The one file of the cache; false if there is none. */
static inline bool find_file(struct place *place)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s/dinoft", place->folder);
    DIR *list = opendir(folder);
    bool found = false;

    for (struct dirent *entry = list ? readdir(list) : NULL; entry; entry = readdir(list)) {
        if (entry->d_name[0] == '.')
            continue;
        assert_false(found);
        found = true;
        snprintf(place->file, sizeof place->file, "%s/%s", folder, entry->d_name);
    }
    if (list)
        closedir(list);
    return found;
}

static inline void forget_choices(struct place *place)
{
    if (find_file(place))
        unlink(place->file);
}

static inline int remove_place(void **state)
{
    struct place *place = *state;
    char folder[128];

    forget_choices(place);
    snprintf(folder, sizeof folder, "%s/dinoft", place->folder);
    rmdir(folder);
    return rmdir(place->folder);
}

static inline int lines_in(struct place *place)
{
    int lines = 0;

    if (!find_file(place))
        return 0;
    FILE *file = fopen(place->file, "r");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Replaces the choice in the file's only line. */
static inline void write_choice(struct place *place, const char *before, const char *choice)
{
    char line[512] = "";

    assert_true(find_file(place));
    FILE *file = fopen(place->file, "r");
    assert_true(file && fgets(line, sizeof line, file));
    fclose(file);
    char *last = strrchr(line, ' ');
    assert_non_null(last);
    *last = '\0';
    file = fopen(place->file, "w");
    assert_non_null(file);
    fprintf(file, "%s%s %s\n", before, line, choice);
    fclose(file);
}

#endif
