/* The hardware under the board: ten functions, all of which return at once. `context` is handed back as it was given. */
#ifndef TG_HAL_H
#define TG_HAL_H

#include <stddef.h>

#include "tg_types.h"

typedef struct {
    void (*read_door)(void *context, enum tg_door_name door, tg_door_inputs *inputs);
    uint64_t (*read_beams)(void *context);    /* bit i is set while receiver i sees no light */
    uint8_t (*read_hazards)(void *context);   /* TG_HAZARD_ESTOP, _FIRE, _POWER; wire them fail-safe: broken is set */
    void (*read_supervision)(void *context, tg_supervision *supervision);
    /* motor: +1 opening, -1 closing, 0 off. The exit's lock must spring open without power (docs/SAFETY.md). */
    void (*drive_door)(void *context, enum tg_door_name door, int8_t motor, bool is_lock_driven);
    void (*light_curtain)(void *context, bool is_on);
    void (*show_lamp)(void *context, uint8_t colour);
    void (*sound_buzzer)(void *context, uint8_t pattern);
    uint32_t (*draw)(void *context); /* a random number that a restart does not repeat */
    void (*send)(void *context, const uint8_t *bytes, size_t count);
} tg_hal;

#endif
