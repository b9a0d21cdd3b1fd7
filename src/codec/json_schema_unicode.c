/* json_schema_unicode.c - names of Unicode properties in patterns. */
#include "codec/json_schema_compiler.h"

/* Of ECMA-262 and of PCRE2, where "L&" is what the former calls LC. */
static const char *const names[][2] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
    {"Alphabetic", "Alphabetic"},
    {"Uppercase", "Uppercase"},
    {"Lowercase", "Lowercase"},
    {"White_Space", "White_Space"},
    {"Any", "Any"},
    {"ASCII", "ASCII"},
};

const char *json_schema_unicode_name(struct str name)
{
    if (str_starts(name, STR("General_Category=")) ||
        str_starts(name, STR("gc=")))
        name = str_skip(name, str_find(name, '=') + 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str theirs = str_from(names[i][1]);
        bool is_same = str_eq(name, theirs) && !str_eq(name, STR("L&"));
        if (is_same || str_eq(name, str_from(names[i][0])))
            return names[i][1];
    }
    return NULL;
}
