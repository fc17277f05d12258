/* Which option a word such as "--batch-size=4" or "--epo" names. */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <string.h>

bool df_flag_name(const char *word, char name[DF_FLAG_MAX])
{
    size_t dashes = strspn(word, "-");
    size_t length = strcspn(word + dashes, "=");
    if (length >= DF_FLAG_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        name[i] = word[dashes + i] == '-' ? '_' : word[dashes + i];
    name[length] = '\0';
    return true;
}

bool df_option_negatable(const struct df_option_info *option)
{
    return option->kind == DF_KIND_SWITCH && !df_text_starts_with(option->name, "no_");
}

/* The idx-th way to spell any flag; false for one that does not exist (--no_ before what is no switch). */
#define SPELLING_COUNT (2 * DF_OPTION_COUNT)
static bool spelling(int index, char text[DF_FLAG_MAX], struct df_flag *flag)
{
    flag->option = &df_options[index % DF_OPTION_COUNT];
    flag->negated = index >= DF_OPTION_COUNT;
    const char *name = flag->option->name;
    if (flag->negated && !df_option_negatable(flag->option))
        return false;
    snprintf(text, DF_FLAG_MAX, "%s%s", flag->negated ? "no_" : "", name);
    return true;
}

/* How many flags of the commands in the mask are spelled `name` (exact) or begin with it; one of them in
 * *found, all of them in list. */
static int match_flags(const char *name, bool exact, unsigned commands, struct df_flag *found,
                       char list[DF_LIST_TEXT_MAX])
{
    int count = 0;
    for (int i = 0; i < SPELLING_COUNT; i++) {
        char text[DF_FLAG_MAX];
        struct df_flag flag;
        if (!spelling(i, text, &flag) || !(flag.option->commands & commands))
            continue;
        if (exact ? strcmp(text, name) == 0 : df_text_starts_with(text, name)) {
            *found = flag;
            df_list_append(list, "--", text, count++, false, "");
        }
    }
    return count;
}

static int unknown_flag(const char *word, const char *name, enum df_command command)
{
    const char *names[DF_OPTION_COUNT + 1] = {"help"};
    int count = 1;
    for (int i = 0; i < DF_OPTION_COUNT; i++) {
        if (df_command_takes(command, &df_options[i]))
            names[count++] = df_options[i].name;
    }
    int nearest = df_text_nearest(name, names, count);
    int length = (int)strcspn(word, "=");
    if (nearest >= 0)
        return df_error_set("unknown flag %.*s: did you mean --%s?", length, word, names[nearest]);
    return df_error_set("unknown flag %.*s: 'dinoft %s --help' lists those of %s", length, word,
                        df_command_name(command), df_command_name(command));
}

static int foreign_flag(const struct df_option_info *option, enum df_command command)
{
    char list[DF_LIST_TEXT_MAX];
    df_command_list(option->commands, list);
    if (option->from_checkpoint >> command & 1)
        return df_error_set("--%s belongs to %s; %s takes it from the checkpoint", option->name, list,
                            df_command_name(command));
    return df_error_set("--%s belongs to %s; %s does not take it", option->name, list,
                        df_command_name(command));
}

/* An exact name counts before any prefix, also one of another command: eval's --r must not become --recipe.
 */
int df_find_flag(const char *word, enum df_command command, struct df_flag *flag)
{
    const unsigned mine = 1u << command, all = ~0u;
    char name[DF_FLAG_MAX], list[DF_LIST_TEXT_MAX];
    if (!df_flag_name(word, name) || name[0] == '\0')
        return df_error_set("unknown flag %.100s", word);
    if (word[1] != '-')
        return unknown_flag(word, name, command);
    if (match_flags(name, true, mine, flag, list) == 1)
        return 0;
    if (match_flags(name, true, all, flag, list) == 1)
        return foreign_flag(flag->option, command);
    int count = match_flags(name, false, mine, flag, list);
    if (count == 1)
        return 0;
    if (count > 1)
        return df_error_set("--%s could be any of %s", name, list);
    if (match_flags(name, false, all, flag, list) == 1)
        return foreign_flag(flag->option, command);
    return unknown_flag(word, name, command);
}
