#include "build.h"

const struct df_case_set *const df_case_sets[] = {
#define DF_OPERATION(name, parameters, arguments) &df_cases_##name,
#include "dinoft/operation_list.h"
};
const int df_n_case_sets = DF_COUNT_OF(df_case_sets);
