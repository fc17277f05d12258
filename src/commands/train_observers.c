#include "train_observers.h"

#include <assert.h>

static void add(struct train_observers *observers, struct df_training_observer observer)
{
    assert((size_t)observers->count < sizeof observers->items / sizeof observers->items[0]);
    observers->items[observers->count++] = observer;
}

int train_observers_open(struct train_observers *observers, const struct df_config *config)
{
    observers->screen = df_training_screen_open(df_recipe_is_reference(config->recipe));
    if (!observers->screen)
        return -1;
    add(observers, df_training_screen_observer(observers->screen));
    return 0;
}

void train_observers_close(struct train_observers *observers)
{
    df_training_screen_close(observers->screen);
}
