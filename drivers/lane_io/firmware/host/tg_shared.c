#include "tg_shared.h"

size_t tg_host_board_bytes(void)
{
    return sizeof(tg_board);
}

size_t tg_host_image_bytes(void)
{
    return sizeof(tg_image);
}

size_t tg_host_decoder_bytes(void)
{
    return sizeof(tg_decoder);
}

bool tg_host_boot(tg_board *board, tg_image *image, const tg_config *config, uint32_t boot_id)
{
    if (!tg_config_is_valid(config)) {
        return false;
    }
    tg_board_begin(board, &TG_IMAGE_HAL, image, config, boot_id);
    return true;
}

void tg_host_receive(tg_board *board, const uint8_t *bytes, size_t count)
{
    tg_board_receive(board, bytes, count);
}

void tg_host_step(tg_board *board, uint32_t dt_ms)
{
    tg_board_step(board, dt_ms);
}

uint32_t tg_host_uptime_ms(const tg_board *board)
{
    return board->uptime_ms;
}

uint32_t tg_host_line_faults(const tg_board *board)
{
    return board->link.line_faults;
}

uint32_t tg_host_newest_event(const tg_board *board)
{
    return board->link.event_sequence;
}

bool tg_host_event(const tg_board *board, uint8_t index, tg_event *event)
{
    if (index >= board->link.event_count) {
        return false;
    }
    *event = board->link.events[(board->link.event_first + index) % TG_MAX_EVENTS];
    return true;
}
