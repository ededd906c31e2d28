#include "tg_door.h"

#include <stddef.h>

#define JAM_MS 1500U
#define CLEAR_BEFORE_SHUTTING_MS 300U
#define SHUT_PERMILLE 20U
#define FORCED_PERMILLE 50U
#define OPEN_PERMILLE 1000U

uint32_t tg_add_ms(uint32_t ms, uint32_t dt_ms)
{
    return ((UINT32_MAX - ms) < dt_ms) ? UINT32_MAX : (ms + dt_ms);
}

void tg_door_begin(tg_door *door, enum tg_door_name name, uint8_t kind, const tg_door_inputs *inputs)
{
    door->name = name;
    door->kind = kind;
    door->is_present = kind != (uint8_t)TG_KIND_NONE;
    door->wants_open = false;
    door->is_forced = false;
    door->is_jammed = false;
    door->is_yielding = false;
    door->motor = 0;
    door->reason = TG_BY_COMMAND;
    door->inputs = *inputs;
    door->is_lock_driven = inputs->is_locked;
    door->was_shut = tg_door_is_shut(door);
    door->last_permille = inputs->position_permille;
    door->clear_ms = 0U;
    door->stalled_ms = 0U;
}

bool tg_door_is_shut(const tg_door *door)
{
    return door->inputs.position_permille <= SHUT_PERMILLE;
}

bool tg_door_is_locked(const tg_door *door)
{
    return door->is_present && tg_door_is_shut(door) && door->is_lock_driven && door->inputs.is_locked;
}

bool tg_door_is_secure(const tg_door *door)
{
    return (!door->is_present) || (tg_door_is_locked(door) && (!door->wants_open));
}

bool tg_door_is_held_open(const tg_door *door)
{
    return door->is_present && door->is_lock_driven && (door->inputs.position_permille > FORCED_PERMILLE);
}

bool tg_door_is_contact_wrong(const tg_door *door)
{
    bool is_wrong = false;

    if (!door->is_present) {
        is_wrong = false;
    } else if (door->is_lock_driven) {
        /* A locked leaf that was pushed away proves nothing. */
        is_wrong = tg_door_is_shut(door) && (!door->inputs.is_locked);
    } else {
        is_wrong = door->inputs.is_locked;
    }
    return is_wrong;
}

enum tg_position tg_door_position(const tg_door *door)
{
    if (!door->is_present) {
        return TG_POSITION_ABSENT;
    }
    if (tg_door_is_shut(door) && (door->motor <= 0)) {
        return TG_POSITION_CLOSED;
    }
    if (door->inputs.position_permille >= OPEN_PERMILLE) {
        return TG_POSITION_OPEN;
    }
    if (door->motor == 0) {
        return TG_POSITION_UNKNOWN;
    }
    return (door->motor > 0) ? TG_POSITION_OPENING : TG_POSITION_CLOSING;
}

void tg_door_want_open(tg_door *door, enum tg_reason reason)
{
    if (!door->wants_open) {
        door->wants_open = true;
        door->reason = reason;
    }
}

void tg_door_clear_faults(tg_door *door)
{
    /* A jam is tried again; a leaf that is still held open stays forced. */
    door->is_forced = door->is_forced && tg_door_is_held_open(door);
    door->is_jammed = false;
    door->stalled_ms = 0U;
}

static void note(tg_seen *seen, uint8_t *count, enum tg_event_code code, uint32_t detail)
{
    seen[*count].code = code;
    seen[*count].detail = detail;
    (*count)++;
}

uint8_t tg_door_watch(tg_door *door, uint32_t dt_ms, bool is_doorway_broken, tg_seen seen[TG_MOST_SEEN])
{
    uint8_t count = 0U;
    bool is_still;

    if (tg_door_is_held_open(door) && (!door->is_forced)) {
        door->is_forced = true;
        note(seen, &count, TG_DOOR_FORCED, 0U);
    }
    if (tg_door_is_shut(door) && door->is_lock_driven) {
        door->was_shut = true;
    } else if (door->was_shut && (!tg_door_is_shut(door))) {
        /* A leaf that gives way before it was locked is still in its last opening. */
        const bool is_ours = door->wants_open && (door->motor > 0) && (!door->is_lock_driven);
        door->was_shut = false;
        note(seen, &count, TG_DOOR_OPENED, is_ours ? (uint32_t)door->reason : (uint32_t)TG_BY_FORCE);
    }
    is_still = (door->motor != 0) && (door->inputs.position_permille == door->last_permille) &&
               (!door->inputs.is_touching);
    door->stalled_ms = is_still ? tg_add_ms(door->stalled_ms, dt_ms) : 0U;
    if ((door->stalled_ms >= JAM_MS) && (!door->is_jammed)) {
        door->is_jammed = true;
        note(seen, &count, TG_DOOR_JAMMED, 0U);
    }
    if ((door->motor < 0) && (door->inputs.is_touching || is_doorway_broken) && (!door->is_yielding)) {
        door->is_yielding = true;
        note(seen, &count, TG_DOOR_OBSTRUCTED, 0U);
    }
    door->clear_ms = is_doorway_broken ? 0U : tg_add_ms(door->clear_ms, dt_ms);
    door->last_permille = door->inputs.position_permille;
    return count;
}

void tg_door_open(tg_door *door)
{
    door->is_lock_driven = false;
    door->is_yielding = false;
    door->motor = (door->inputs.position_permille >= OPEN_PERMILLE) ? 0 : 1;
}

void tg_door_halt(tg_door *door)
{
    door->motor = 0;
}

/* Closes, gives way to whoever is in the doorway, tries again when it has been clear for a moment. */
void tg_door_shut(tg_door *door)
{
    const uint16_t position_permille = door->inputs.position_permille;

    if (door->is_yielding && (door->clear_ms >= CLEAR_BEFORE_SHUTTING_MS)) {
        door->is_yielding = false;
    }
    if (position_permille == 0U) {
        door->motor = 0;
        door->is_lock_driven = true;
        door->is_yielding = false;
    } else if (door->is_yielding) {
        /* A leaf forced open is still locked: it waits where it is instead of opening further. */
        const bool is_waiting = door->is_lock_driven || (position_permille >= OPEN_PERMILLE);
        door->motor = is_waiting ? 0 : 1;
    } else {
        door->motor = -1;
    }
}
