/* A library that is looked for: test_library_search.py. */
int library_stand_in(void);

int library_stand_in(void)
{
    return 1;
}
