/* What the board does on a command, or why it does not. Each is an intent: doing it twice is doing it once. */
#include "tg_board.h"

static enum tg_result move_entry(tg_board *board, uint8_t target)
{
    if (tg_board_is_holding(board) || board->is_evacuating || (!board->entry.is_present)) {
        return TG_REFUSED_STATE;
    }
    if (target == (uint8_t)TG_TARGET_CLOSED) {
        board->entry.wants_open = false;
        return TG_DONE;
    }
    if (!tg_door_is_secure(&board->exit)) {
        return TG_REFUSED_INTERLOCK;
    }
    tg_door_want_open(&board->entry, TG_BY_COMMAND);
    return TG_DONE;
}

static enum tg_result open_exit(tg_board *board, uint32_t token)
{
    if ((token == TG_NO_TOKEN) || (token != board->exit_token)) {
        return TG_REFUSED_TOKEN;
    }
    /* A token exists only while nothing holds, but the interlock does not rest on that. */
    if (tg_board_is_holding(board) || board->is_evacuating) {
        return TG_REFUSED_STATE;
    }
    if (!tg_door_is_secure(&board->entry)) {
        return TG_REFUSED_INTERLOCK;
    }
    board->exit_token = TG_NO_TOKEN;
    board->has_basis = false;
    tg_door_want_open(&board->exit, TG_BY_TOKEN);
    return TG_DONE;
}

static enum tg_result close_exit(tg_board *board)
{
    if (tg_board_is_holding(board) || board->is_evacuating) {
        return TG_REFUSED_STATE;
    }
    board->exit.wants_open = false;
    return TG_DONE;
}

static enum tg_result acknowledge(tg_board *board)
{
    if (board->is_estop_pressed || board->is_fire || board->is_power_failed) {
        return TG_REFUSED_STATE;
    }
    if (tg_board_is_holding(board)) {
        tg_board_shut_all(board);
    }
    /* Each latch goes when its own cause has gone: a stop that waited for a forced door would keep it from being shut. */
    board->is_released = false;
    board->is_stopped = false;
    board->is_watchdog_tripped = false;
    tg_door_clear_faults(&board->entry);
    tg_door_clear_faults(&board->exit);
    if (board->entry.is_forced || board->exit.is_forced) {
        return TG_REFUSED_STATE;
    }
    if (board->selftest.failed != 0U) {
        tg_selftest_ask(&board->selftest);
    }
    return TG_DONE;
}

static enum tg_result end_evacuation(tg_board *board)
{
    if (board->is_evacuating) {
        board->is_evacuating = false;
        board->entry.wants_open = false;
        board->exit.wants_open = board->is_released;
    }
    return TG_DONE;
}

static enum tg_result ask_for_test(tg_board *board)
{
    if (!tg_board_may_test(board)) {
        return TG_REFUSED_STATE;
    }
    tg_selftest_ask(&board->selftest);
    return TG_DONE;
}

enum tg_result tg_board_act(tg_board *board, const tg_frame *command)
{
    enum tg_result result = TG_DONE;

    switch (command->type) {
    case TG_MOVE_ENTRY:
        result = move_entry(board, command->payload[4]);
        break;
    case TG_OPEN_EXIT:
        result = open_exit(board, tg_get_u32(&command->payload[4]));
        break;
    case TG_CLOSE_EXIT:
        result = close_exit(board);
        break;
    case TG_LAMP:
        board->lamp = command->payload[4];
        break;
    case TG_BUZZER:
        board->buzzer = command->payload[4];
        break;
    case TG_ACK_FAULT:
        result = acknowledge(board);
        break;
    case TG_BEGIN_EVACUATION:
        board->is_evacuating = true;
        break;
    case TG_END_EVACUATION:
        result = end_evacuation(board);
        break;
    case TG_SELF_TEST:
        result = ask_for_test(board);
        break;
    default:
        result = TG_REFUSED_STATE;
        break;
    }
    return result;
}
