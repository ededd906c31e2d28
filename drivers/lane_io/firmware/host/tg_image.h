/* A process image as the hardware: inputs that a test or a simulated lane fills in, outputs that it reads. Host builds only. */
#ifndef TG_IMAGE_H
#define TG_IMAGE_H

#include "tg_board.h"

#define TG_IMAGE_OUTPUT 65536U

typedef struct {
    tg_door_inputs entry;
    tg_door_inputs exit;
    tg_supervision supervision;
    uint64_t beams;
    uint8_t hazards;
    uint32_t next_token; /* what the next draw gives */
    uint32_t draws;
    int8_t entry_motor;
    int8_t exit_motor;
    bool is_entry_lock_driven;
    bool is_exit_lock_driven;
    bool has_light;
    uint8_t lamp;
    uint8_t buzzer;
    uint32_t output_count;
    uint8_t output[TG_IMAGE_OUTPUT]; /* what the board sent; more than fits is dropped, as a UART that nobody reads */
} tg_image;

extern const tg_hal TG_IMAGE_HAL;

#endif
