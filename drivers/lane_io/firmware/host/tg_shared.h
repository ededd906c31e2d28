/* The shared library through which `simulator/c_board.py` runs the board. */
#ifndef TG_SHARED_H
#define TG_SHARED_H

#include "tg_image.h"

size_t tg_host_board_bytes(void);
size_t tg_host_image_bytes(void);
bool tg_host_boot(tg_board *board, tg_image *image, const tg_config *config, uint32_t boot_id);
void tg_host_receive(tg_board *board, const uint8_t *bytes, size_t count);
void tg_host_step(tg_board *board, uint32_t dt_ms);
uint32_t tg_host_uptime_ms(const tg_board *board);
uint32_t tg_host_line_faults(const tg_board *board);

/* The number of the newest event, 0 before the first. */
uint32_t tg_host_newest_event(const tg_board *board);

/* The `index`th event in the queue; false when there are not so many. */
bool tg_host_event(const tg_board *board, uint8_t index, tg_event *event);

size_t tg_host_decoder_bytes(void);

#endif
