/* Which corruptions a person asks for. */
#include "dinoft/corruption.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

static void add(struct df_corruption_choice *choice, const struct df_corruption *corruption, bool named)
{
    int i = 0;

    while (i < choice->count && choice->items[i] != corruption)
        i++;
    if (i == choice->count) {
        choice->items[choice->count++] = corruption;
        choice->named[i] = false;
    }
    choice->named[i] |= named;
}

static void add_group(struct df_corruption_choice *choice, const struct df_corruption_suite *suite,
                      bool common)
{
    for (int i = 0; i < suite->count; i++) {
        if (!common || suite->corruptions[i].common)
            add(choice, &suite->corruptions[i], false);
    }
}

static int add_word(struct df_corruption_choice *choice, const char *word,
                    const struct df_corruption_suite *suite)
{
    if (strcmp(word, "all") == 0) {
        add_group(choice, suite, false);
    } else if (strcmp(word, "common") == 0) {
        add_group(choice, df_corruption_suite(DF_SUITE_IMAGENET_C), true);
    } else {
        const struct df_corruption *corruption = df_corruption_named(word);
        if (!corruption)
            return -1;
        add(choice, corruption, true);
    }
    return 0;
}

int df_corruption_list(const char *text, const struct df_corruption_suite *suite,
                       struct df_corruption_choice *choice)
{
    char *words = df_text_copy(text);
    int status = words ? 0 : -1;

    choice->count = 0;
    for (char *word = words; word && status == 0;) {
        char *comma = strchr(word, ',');
        if (comma)
            *comma = '\0';
        status = *word ? add_word(choice, word, suite)
                       : df_error_set("expected names with commas between them, found '%s'", text);
        word = comma ? comma + 1 : NULL;
    }
    free(words);
    return status;
}

int df_corruption_choice_frost(struct df_corruption_choice *choice, const char *folder, const char *advice,
                               struct df_frost **frost)
{
    int i = 0;

    *frost = NULL;
    while (i < choice->count && !choice->items[i]->needs_frost)
        i++;
    if (i == choice->count || (*frost = df_frost_open(folder, advice)))
        return 0;
    if (choice->named[i] || df_error_is_memory())
        return -1;
    df_log("warning: %s is left out: %s", choice->items[i]->name, df_error_text());
    choice->count--;
    for (; i < choice->count; i++) {
        choice->items[i] = choice->items[i + 1];
        choice->named[i] = choice->named[i + 1];
    }
    return 0;
}
