/* One door: forced, jammed and obstructed are noticed here; interlocks are the board's. Twin: simulator/door_control.py. */
#ifndef TG_DOOR_H
#define TG_DOOR_H

#include "tg_types.h"

#define TG_MOST_SEEN 4U

typedef struct {
    enum tg_event_code code;
    uint32_t detail;
} tg_seen;

typedef struct {
    enum tg_door_name name;
    uint8_t kind;
    bool is_present;
    bool wants_open;
    bool is_forced;
    bool is_jammed;
    bool is_lock_driven;
    bool is_yielding;
    bool was_shut;
    int8_t motor;
    enum tg_reason reason;
    tg_door_inputs inputs;
    uint16_t last_permille;
    uint32_t clear_ms;
    uint32_t stalled_ms;
} tg_door;

/* Takes the door as it is found at boot, with its motor off. */
void tg_door_begin(tg_door *door, enum tg_door_name name, uint8_t kind, const tg_door_inputs *inputs);

bool tg_door_is_shut(const tg_door *door);
bool tg_door_is_locked(const tg_door *door);        /* shut and locked: by the drive, which acts, and the contact, which sees */
bool tg_door_is_secure(const tg_door *door);        /* and not about to open; what is not there does not open */
bool tg_door_is_held_open(const tg_door *door);     /* away from shut although it is locked */
bool tg_door_is_contact_wrong(const tg_door *door); /* the contact contradicts the drive */
enum tg_position tg_door_position(const tg_door *door);

void tg_door_want_open(tg_door *door, enum tg_reason reason);
void tg_door_clear_faults(tg_door *door);

/* Looks at the leaf after `dt_ms`; returns how many events it wrote to `seen`. */
uint8_t tg_door_watch(tg_door *door, uint32_t dt_ms, bool is_doorway_broken, tg_seen seen[TG_MOST_SEEN]);

void tg_door_open(tg_door *door);
void tg_door_halt(tg_door *door);
void tg_door_shut(tg_door *door);

/* Counts time up and stays at the end, so that it never starts again by itself. */
uint32_t tg_add_ms(uint32_t ms, uint32_t dt_ms);

#endif
