/* What the board tells of itself: HELLO_ACK and SENSORS, byte by byte as docs/protocols/lane-link.md has them. */
#include <string.h>

#include "tg_board.h"

#define SENSORS_EVERY_MS 90U /* the line promises 100; a scan takes 10 */
#define TEMPERATURE_AT 31U

uint8_t tg_board_shown_lamp(const tg_board *board)
{
    return tg_board_is_holding(board) ? (uint8_t)TG_LAMP_RED : board->lamp;
}

void tg_board_introduce(tg_board *board, const tg_frame *hello, uint8_t version)
{
    const tg_config *config = &board->config;
    uint8_t payload[24];

    payload[0] = version;
    payload[1] = (uint8_t)TG_FIRMWARE_MAJOR;
    payload[2] = (uint8_t)TG_FIRMWARE_MINOR;
    payload[3] = (uint8_t)TG_FIRMWARE_PATCH;
    tg_put_u32(&payload[4], config->board_id);
    tg_put_u32(&payload[8], board->link.boot_id);
    tg_put_u32(&payload[12], tg_get_u32(&hello->payload[2]));
    tg_put_u16(&payload[16], config->watchdog_ms);
    payload[18] = config->entry_kind;
    payload[19] = config->exit_kind;
    payload[20] = config->beam_count;
    payload[21] = config->first_inside_beam;
    payload[22] = config->last_inside_beam;
    payload[23] = config->beam_pitch_mm;
    tg_link_send(&board->link, hello->sequence, TG_HELLO_ACK, payload);
}

static uint8_t door_flags(const tg_board *board)
{
    uint32_t flags = 0U;

    flags |= tg_door_is_locked(&board->entry) ? 0x01U : 0U;
    flags |= tg_door_is_locked(&board->exit) ? 0x02U : 0U;
    flags |= board->entry.is_forced ? 0x04U : 0U;
    flags |= board->exit.is_forced ? 0x08U : 0U;
    flags |= board->entry.is_jammed ? 0x10U : 0U;
    flags |= board->exit.is_jammed ? 0x20U : 0U;
    return (uint8_t)flags;
}

static uint8_t hazard_flags(const tg_board *board)
{
    uint32_t flags = 0U;

    flags |= board->is_estop_pressed ? TG_HAZARD_ESTOP : 0U;
    flags |= board->is_fire ? TG_HAZARD_FIRE : 0U;
    flags |= board->is_power_failed ? TG_HAZARD_POWER : 0U;
    flags |= board->is_watchdog_tripped ? TG_HAZARD_WATCHDOG : 0U;
    flags |= board->is_evacuating ? TG_HAZARD_EVACUATING : 0U;
    flags |= tg_board_is_holding(board) ? TG_HAZARD_HOLDING : 0U;
    return (uint8_t)flags;
}

static void pack_sensors(const tg_board *board, uint8_t payload[TG_SENSORS_BYTES])
{
    tg_put_u32(&payload[0], board->uptime_ms);
    payload[4] = (uint8_t)tg_door_position(&board->entry);
    payload[5] = (uint8_t)tg_door_position(&board->exit);
    payload[6] = door_flags(board);
    payload[7] = hazard_flags(board);
    tg_put_u64(&payload[8], board->beams);
    tg_put_u32(&payload[16], board->beams_changed_ms);
    payload[20] = board->config.beam_count;
    payload[21] = board->person_count;
    tg_put_u32(&payload[22], board->exit_token);
    tg_put_u32(&payload[26], board->link.boot_id);
    payload[30] = tg_board_shown_lamp(board);
    tg_put_u16(&payload[TEMPERATURE_AT], (uint16_t)board->supervision.tenths_celsius);
    payload[33] = (uint8_t)tg_selftest_state(&board->selftest);
    tg_put_u16(&payload[34], board->selftest.failed);
}

/* A clock that runs and a temperature that flickers are no news. */
static bool is_news(const tg_board *board, const uint8_t payload[TG_SENSORS_BYTES])
{
    return (!board->was_sent) || (memcmp(&payload[4], &board->sent[4], TEMPERATURE_AT - 4U) != 0) ||
           (memcmp(&payload[33], &board->sent[33], 3U) != 0);
}

void tg_board_report(tg_board *board)
{
    uint8_t payload[TG_SENSORS_BYTES];

    pack_sensors(board, payload);
    if (is_news(board, payload) || ((board->uptime_ms - board->sent_ms) >= SENSORS_EVERY_MS)) {
        board->was_sent = true;
        board->sent_ms = board->uptime_ms;
        (void)memcpy(board->sent, payload, TG_SENSORS_BYTES);
        tg_link_send_sensors(&board->link, payload);
    }
}
