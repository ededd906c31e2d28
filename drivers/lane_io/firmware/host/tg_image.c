#include "tg_image.h"

#include <string.h>

static void read_door(void *context, enum tg_door_name door, tg_door_inputs *inputs)
{
    const tg_image *image = context;
    *inputs = (door == TG_DOOR_ENTRY) ? image->entry : image->exit;
}

static uint64_t read_beams(void *context)
{
    const tg_image *image = context;
    return image->beams;
}

static uint8_t read_hazards(void *context)
{
    const tg_image *image = context;
    return image->hazards;
}

static void read_supervision(void *context, tg_supervision *supervision)
{
    const tg_image *image = context;
    *supervision = image->supervision;
}

static void drive_door(void *context, enum tg_door_name door, int8_t motor, bool is_lock_driven)
{
    tg_image *image = context;
    if (door == TG_DOOR_ENTRY) {
        image->entry_motor = motor;
        image->is_entry_lock_driven = is_lock_driven;
    } else {
        image->exit_motor = motor;
        image->is_exit_lock_driven = is_lock_driven;
    }
}

static void light_curtain(void *context, bool is_on)
{
    tg_image *image = context;
    image->has_light = is_on;
}

static void show_lamp(void *context, uint8_t colour)
{
    tg_image *image = context;
    image->lamp = colour;
}

static void sound_buzzer(void *context, uint8_t pattern)
{
    tg_image *image = context;
    image->buzzer = pattern;
}

static uint32_t draw(void *context)
{
    tg_image *image = context;
    image->draws++;
    return image->next_token;
}

static void send(void *context, const uint8_t *bytes, size_t count)
{
    tg_image *image = context;
    if ((TG_IMAGE_OUTPUT - image->output_count) >= count) {
        (void)memcpy(&image->output[image->output_count], bytes, count);
        image->output_count += (uint32_t)count;
    }
}

const tg_hal TG_IMAGE_HAL = {
    .read_door = read_door,
    .read_beams = read_beams,
    .read_hazards = read_hazards,
    .read_supervision = read_supervision,
    .drive_door = drive_door,
    .light_curtain = light_curtain,
    .show_lamp = show_lamp,
    .sound_buzzer = sound_buzzer,
    .draw = draw,
    .send = send,
};
