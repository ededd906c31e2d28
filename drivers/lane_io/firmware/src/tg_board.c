#include "tg_board.h"

#include <string.h>

bool tg_config_is_valid(const tg_config *config)
{
    const bool is_over_doorways = (config->first_inside_beam >= 1U) &&
                                  (config->first_inside_beam <= config->last_inside_beam) &&
                                  ((config->last_inside_beam + 2U) <= config->beam_count) &&
                                  (config->beam_count <= TG_MAX_BEAMS);
    const bool has_exit = (config->exit_kind >= (uint8_t)TG_KIND_SWING) && (config->exit_kind <= (uint8_t)TG_KIND_TRIPOD);

    return is_over_doorways && has_exit && (config->entry_kind <= (uint8_t)TG_KIND_TRIPOD) &&
           (config->beam_pitch_mm > 0U) && (config->watchdog_ms > 0U);
}

static void event(tg_board *board, enum tg_event_code code, enum tg_door_name door, uint32_t detail)
{
    tg_link_add_event(&board->link, code, door, detail, board->uptime_ms);
}

void tg_board_begin(tg_board *board, const tg_hal *hal, void *context, const tg_config *config, uint32_t boot_id)
{
    tg_door_inputs entry = {0U, true, false};
    tg_door_inputs exit_inputs = {0U, true, false};

    (void)memset(board, 0, sizeof(*board));
    board->hal = hal;
    board->context = context;
    board->config = *config;
    board->lamp = (uint8_t)TG_LAMP_RED;
    board->buzzer = (uint8_t)TG_BUZZER_OFF;
    board->person_count = 255U;
    tg_link_begin(&board->link, hal, context, boot_id);
    tg_selftest_begin(&board->selftest);
    tg_passage_begin(&board->entry_sense, (uint8_t)(config->first_inside_beam - 1U));
    tg_passage_begin(&board->exit_sense, config->last_inside_beam);
    event(board, TG_BOOTED, TG_DOOR_NONE, 0U);
    hal->read_door(context, TG_DOOR_ENTRY, &entry);
    hal->read_door(context, TG_DOOR_EXIT, &exit_inputs);
    hal->read_supervision(context, &board->supervision);
    tg_door_begin(&board->entry, TG_DOOR_ENTRY, config->entry_kind, &entry);
    tg_door_begin(&board->exit, TG_DOOR_EXIT, config->exit_kind, &exit_inputs);
}

bool tg_board_is_holding(const tg_board *board)
{
    const bool is_door_faulty =
        board->entry.is_forced || board->entry.is_jammed || board->exit.is_forced || board->exit.is_jammed;

    return is_door_faulty || board->is_watchdog_tripped || board->is_stopped || board->is_released;
}

bool tg_board_may_test(const tg_board *board)
{
    return tg_door_is_secure(&board->entry) && tg_door_is_secure(&board->exit) && (!tg_board_is_holding(board)) &&
           (!board->is_evacuating);
}

void tg_board_shut_all(tg_board *board)
{
    board->entry.wants_open = false;
    board->exit.wants_open = false;
}

/* -- inputs and outputs ------------------------------------------------------------------------------------------------- */

static void release(tg_board *board, enum tg_reason reason)
{
    board->is_released = true;
    board->exit.wants_open = false; /* whatever it was wanted for before, this is the reason now */
    tg_door_want_open(&board->exit, reason);
}

static void read_hazards(tg_board *board)
{
    const uint8_t hazards = board->hal->read_hazards(board->context);
    const bool is_estop = (hazards & TG_HAZARD_ESTOP) != 0U;
    const bool is_fire = (hazards & TG_HAZARD_FIRE) != 0U;
    const bool is_power = (hazards & TG_HAZARD_POWER) != 0U;

    if (is_estop != board->is_estop_pressed) {
        board->is_estop_pressed = is_estop;
        board->is_stopped = true;
        event(board, is_estop ? TG_ESTOP_PRESSED : TG_ESTOP_RELEASED, TG_DOOR_NONE, 0U);
    }
    if (is_fire != board->is_fire) {
        board->is_fire = is_fire;
        release(board, TG_BY_FIRE);
        event(board, is_fire ? TG_FIRE_RAISED : TG_FIRE_CLEARED, TG_DOOR_NONE, 0U);
    }
    if (is_power != board->is_power_failed) {
        board->is_power_failed = is_power;
        release(board, TG_BY_POWER);
        event(board, is_power ? TG_POWER_FAILED : TG_POWER_RESTORED, TG_DOOR_NONE, 0U);
    }
}

static void read_inputs(tg_board *board)
{
    board->hal->read_door(board->context, TG_DOOR_ENTRY, &board->entry.inputs);
    board->hal->read_door(board->context, TG_DOOR_EXIT, &board->exit.inputs);
    board->hal->read_supervision(board->context, &board->supervision);
    board->receivers = board->hal->read_beams(board->context) & tg_all_beams(board->config.beam_count);
    read_hazards(board);
    if ((!tg_selftest_is_blind(&board->selftest)) && (board->receivers != board->beams)) {
        board->beams = board->receivers;
        board->beams_changed_ms = board->uptime_ms;
    }
}

static void write_outputs(const tg_board *board)
{
    if (board->entry.is_present) {
        board->hal->drive_door(board->context, TG_DOOR_ENTRY, board->entry.motor, board->entry.is_lock_driven);
    }
    board->hal->drive_door(board->context, TG_DOOR_EXIT, board->exit.motor, board->exit.is_lock_driven);
    board->hal->light_curtain(board->context, board->selftest.phase != TG_PHASE_DARK);
    board->hal->show_lamp(board->context, tg_board_shown_lamp(board));
    board->hal->sound_buzzer(board->context, board->buzzer);
}

/* -- rules -------------------------------------------------------------------------------------------------------------- */

static void watch_host(tg_board *board)
{
    if ((!board->link.was_fed) || board->is_watchdog_tripped ||
        ((board->uptime_ms - board->link.fed_ms) <= board->config.watchdog_ms)) {
        return;
    }
    board->is_watchdog_tripped = true;
    board->link.session = 0U;
    if ((!board->is_released) && (!board->is_evacuating)) {
        tg_board_shut_all(board);
    }
    event(board, TG_WATCHDOG_TRIPPED, TG_DOOR_NONE, 0U);
}

static void test(tg_board *board, uint32_t dt_ms)
{
    uint32_t wrong = tg_wrong_supplies(&board->config, &board->supervision, board->is_power_failed);
    uint8_t news;

    wrong |= tg_door_is_contact_wrong(&board->entry) ? TG_FAILED_ENTRY_LOCK : 0U;
    wrong |= tg_door_is_contact_wrong(&board->exit) ? TG_FAILED_EXIT_LOCK : 0U;
    news = tg_selftest_step(&board->selftest, &board->config, dt_ms, board->receivers, (uint16_t)wrong,
                            tg_board_may_test(board));
    if (news == (uint8_t)TG_SELF_TEST_FAILED) {
        event(board, TG_SELF_TEST_FAILED, TG_DOOR_NONE, board->selftest.failed);
    } else if (news == (uint8_t)TG_SELF_TEST_PASSED) {
        event(board, TG_SELF_TEST_PASSED, TG_DOOR_NONE, 0U);
    } else {
        /* nothing new */
    }
}

static void scan_door(tg_board *board, tg_door *door, const tg_door *other, uint8_t doorway, uint32_t dt_ms)
{
    tg_seen seen[TG_MOST_SEEN];
    uint8_t count;
    const bool is_exit = door == &board->exit;

    if (!door->is_present) {
        return;
    }
    count = tg_door_watch(door, dt_ms, doorway != 0U, seen);
    for (uint8_t i = 0U; i < count; i++) {
        event(board, seen[i].code, door->name, seen[i].detail);
        if ((seen[i].code == TG_DOOR_FORCED) && (!board->is_released)) {
            tg_board_shut_all(board);
        }
    }
    /* The exit's release is a spring and a battery: neither the emergency stop nor a jam flag takes it back. */
    if (is_exit && board->is_released) {
        tg_door_open(door);
    } else if (board->is_stopped || board->is_power_failed || door->is_jammed ||
               (board->is_released && (!board->is_evacuating))) {
        tg_door_halt(door);
    } else if (door->wants_open && (board->is_evacuating || tg_door_is_secure(other))) {
        tg_door_open(door);
    } else {
        tg_door_shut(door);
    }
}

/* A new token whenever what it was good for has changed, none while the exit may not be opened. */
static void renew_token(tg_board *board)
{
    const bool may_open =
        tg_board_may_test(board) && tg_selftest_is_passed(&board->selftest) && (board->link.session != 0U);
    const bool is_same = (may_open == board->has_basis) &&
                         ((!may_open) || ((board->basis_session == board->link.session) &&
                                          (board->basis_count == board->person_count)));

    if (!is_same) {
        board->has_basis = may_open;
        board->basis_session = board->link.session;
        board->basis_count = board->person_count;
        board->exit_token = may_open ? board->hal->draw(board->context) : TG_NO_TOKEN;
        if (may_open && (board->exit_token == TG_NO_TOKEN)) {
            board->exit_token = 1U;
        }
    }
}

static void drive(tg_board *board, uint32_t dt_ms)
{
    if (board->is_evacuating && (!board->is_stopped)) {
        tg_door_want_open(&board->entry, TG_BY_EVACUATION);
        tg_door_want_open(&board->exit, TG_BY_EVACUATION);
    }
    scan_door(board, &board->entry, &board->exit, tg_doorway(board->beams, board->entry_sense.first_beam), dt_ms);
    scan_door(board, &board->exit, &board->entry, tg_doorway(board->beams, board->exit_sense.first_beam), dt_ms);
    board->person_count =
        tg_count_people(&board->config, board->beams, board->entry.is_present && tg_door_is_shut(&board->entry),
                        tg_door_is_shut(&board->exit));
    renew_token(board);
}

static void watch_passage(tg_board *board, tg_door *door, tg_passage_sense *sense)
{
    const tg_passage passage = tg_passage_see(sense, board->beams);
    const bool is_free = board->is_evacuating || ((door == &board->exit) && board->is_released);

    if (passage == TG_NO_PASSAGE) {
        return;
    }
    event(board, (passage == TG_FORWARD) ? TG_PASSAGE_FORWARD : TG_PASSAGE_BACK, door->name, 0U);
    if ((door->kind == (uint8_t)TG_KIND_TRIPOD) && (!is_free)) {
        door->wants_open = false;
    }
}

/* -- the line and time -------------------------------------------------------------------------------------------------- */

static void take(tg_board *board, const tg_frame *frame)
{
    switch (frame->type) {
    case TG_HELLO:
        tg_board_introduce(board, frame, tg_link_greet(&board->link, frame, board->uptime_ms));
        break;
    case TG_HEARTBEAT:
        tg_link_beat(&board->link, frame, board->uptime_ms);
        break;
    case TG_EVENT_ACK:
        tg_link_forget_event(&board->link, frame);
        break;
    case TG_HELLO_ACK:
    case TG_SENSORS:
    case TG_ACK:
    case TG_EVENT:
        break; /* another board's voice on our line */
    default:
        if (tg_link_is_new(&board->link, frame)) {
            tg_link_answer(&board->link, frame, tg_board_act(board, frame));
        }
        break;
    }
}

void tg_board_receive(tg_board *board, const uint8_t *bytes, size_t count)
{
    const uint32_t before = board->link.sessions_begun;
    tg_frame frame;

    read_inputs(board);
    for (size_t i = 0; i < count; i++) {
        const tg_found found = tg_decode(&board->link.decoder, bytes[i], &frame);
        if (found == TG_FRAME) {
            take(board, &frame);
        } else if (found != TG_NOTHING) {
            board->link.line_faults++;
        } else {
            /* more to come */
        }
    }
    if (board->link.sessions_begun != before) {
        board->exit_token = TG_NO_TOKEN;
        board->has_basis = false;
        board->was_sent = false;
    }
    drive(board, 0U);
    tg_board_report(board);
    write_outputs(board);
}

void tg_board_step(tg_board *board, uint32_t dt_ms)
{
    board->uptime_ms += dt_ms;
    read_inputs(board);
    watch_host(board);
    test(board, dt_ms);
    drive(board, dt_ms);
    watch_passage(board, &board->entry, &board->entry_sense);
    watch_passage(board, &board->exit, &board->exit_sense);
    tg_board_report(board);
    write_outputs(board);
    tg_link_step(&board->link, board->uptime_ms);
}
