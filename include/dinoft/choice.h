/* Lists of choices that a user may type. Each is written once, as a macro LIST(X) of X(ENUMERATOR, "text"),
 * from which the enumeration and the table of texts are made:
 *
 *     #define DF_COLOURS(X) X(DF_RED, "red") X(DF_BLUE, "blue")
 *     enum df_colour { DF_COLOURS(DF_CHOICE_ID) };
 *     static const char *const names[] = {DF_COLOURS(DF_CHOICE_TEXT)};
 */
#ifndef DINOFT_CHOICE_H
#define DINOFT_CHOICE_H

#define DF_CHOICE_ID(ID, TEXT)   ID,
#define DF_CHOICE_TEXT(ID, TEXT) [ID] = TEXT,

#endif
