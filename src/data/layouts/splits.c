#include "splits.h"

#include "../split_folders.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_TEXT     40
#define EXPECTED_TEXT 200

bool df_split_is(const char *word, const char *const *words)
{
    for (const char *const *known = words; *known; known++) {
        if (strcasecmp(word, *known) == 0)
            return true;
    }
    return false;
}

bool df_split_is_usual(const char *word)
{
    return df_split_is(word, df_split_words(DF_SPLIT_TRAIN)) ||
           df_split_is(word, df_split_words(DF_SPLIT_VAL));
}

bool df_split_words_take(struct df_split_words *words, const char *word)
{
    char shown[WORD_TEXT];

    if (df_split_is(word, words->wanted)) {
        words->taken++;
        return true;
    }
    if (df_split_is_usual(word))
        return false;
    words->left++;
    snprintf(shown, sizeof shown, "'%.30s'", word);
    if (!strstr(words->words.text, shown))
        df_name_list_add(&words->words, "%s", shown);
    return false;
}

/* "val, valid or validation" */
static const char *expected(const char *const *words, char *text, size_t size)
{
    size_t length = 0;

    for (int i = 0; words[i] && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   i == 0         ? ""
                                   : words[i + 1] ? ", "
                                                  : " or ",
                                   words[i]);
    return text;
}

int df_split_words_check(const struct df_split_words *words, const char *where, bool tells)
{
    char text[EXPECTED_TEXT];

    if (words->left > 0 && tells)
        df_log("%zu image%s of %s %s of other splits than train and val, and not used: %s", words->left,
               words->left == 1 ? "" : "s", where, words->left == 1 ? "is" : "are", words->words.text);
    if (words->taken > 0)
        return 0;
    expected(words->wanted, text, sizeof text);
    if (words->left > 0)
        return df_error_set("no image of %s is of the split %s: there is %s", where, text, words->words.text);
    return df_error_set("no image of %s is of the split %s", where, text);
}
