/* Throws bytes and inputs at a board and checks what must hold of it. Built with the address and undefined-behaviour sanitizers.
 *
 *     fuzz SECONDS [SEED]       prints the seed, and how far it came; the same seed does the same
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tg_image.h"

#define STEPS_A_BOOT 2000
#define PIECE_BYTES 400U

static tg_board board;
static tg_image image;
static uint64_t state;

static uint32_t random32(void)
{
    /* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717ULL) >> 32);
}

static uint32_t below(uint32_t limit)
{
    return random32() % limit;
}

static void require(bool is_so, const char *what)
{
    if (!is_so) {
        (void)fprintf(stderr, "finding: %s\n", what);
        abort();
    }
}

static size_t some_frame(uint8_t line[TG_MAX_LINE])
{
    static const uint8_t TYPES[] = {TG_HELLO,     TG_HEARTBEAT, TG_EVENT_ACK,        TG_MOVE_ENTRY,     TG_OPEN_EXIT,
                                    TG_CLOSE_EXIT, TG_LAMP,      TG_BUZZER,           TG_ACK_FAULT,      TG_BEGIN_EVACUATION,
                                    TG_SELF_TEST, TG_HEARTBEAT, TG_END_EVACUATION, TG_END_EVACUATION, 0x7FU};
    tg_frame frame;
    int length;

    frame.sequence = (uint16_t)((below(8U) == 0U) ? random32() : (board.link.newest + below(3U)));
    frame.type = TYPES[below(sizeof(TYPES))];
    length = tg_payload_length(frame.type);
    frame.length = (uint8_t)(((length < 0) || (below(16U) == 0U)) ? below(TG_MAX_PAYLOAD + 1U) : (uint32_t)length);
    for (uint32_t i = 0U; i < TG_MAX_PAYLOAD; i++) {
        frame.payload[i] = (uint8_t)below(5U);
    }
    if ((frame.type == (uint8_t)TG_HELLO) && (below(4U) != 0U)) {
        frame.payload[0] = 1U;
    } else if ((frame.type != (uint8_t)TG_HELLO) && (frame.type != (uint8_t)TG_EVENT_ACK) && (below(8U) != 0U)) {
        tg_put_u32(&frame.payload[0], board.link.session);
    } else {
        /* left to chance */
    }
    if ((frame.type == (uint8_t)TG_OPEN_EXIT) && (below(4U) != 0U)) {
        tg_put_u32(&frame.payload[4], board.exit_token);
    }
    if ((frame.type == (uint8_t)TG_EVENT_ACK) && (below(4U) != 0U)) {
        tg_put_u32(&frame.payload[0], board.link.events[board.link.event_first].sequence);
        tg_put_u32(&frame.payload[4], board.link.boot_id);
    }
    return tg_encode(&frame, line);
}

static size_t some_bytes(uint8_t *bytes)
{
    size_t count = 0U;

    if (below(4U) == 0U) {
        count = below(PIECE_BYTES);
        for (size_t i = 0U; i < count; i++) {
            bytes[i] = (uint8_t)((below(8U) == 0U) ? 0U : random32());
        }
        return count;
    }
    while ((count + TG_MAX_LINE) < PIECE_BYTES) {
        count += some_frame(&bytes[count]);
        if (below(3U) == 0U) {
            break;
        }
    }
    for (uint32_t i = below(3U); i > 1U; i--) {
        bytes[below((uint32_t)count)] = (uint8_t)random32();
    }
    return (below(8U) == 0U) ? below((uint32_t)count) : count;
}

static void some_door(tg_door_inputs *door, int8_t motor, bool is_lock_driven)
{
    int32_t position = door->position_permille;

    if (below(200U) == 0U) {
        position = (int32_t)below(1001U);
    } else if ((motor > 0) && (!is_lock_driven)) {
        position += 20;
    } else if (motor < 0) {
        position -= 14;
    } else {
        /* it stands */
    }
    door->position_permille = (uint16_t)((position < 0) ? 0 : ((position > 1000) ? 1000 : position));
    door->is_locked = (below(400U) == 0U) ? !is_lock_driven : is_lock_driven;
    door->is_touching = below(100U) == 0U;
}

static void some_inputs(void)
{
    some_door(&image.entry, image.entry_motor, image.is_entry_lock_driven);
    some_door(&image.exit, image.exit_motor, image.is_exit_lock_driven);
    if (below(10U) == 0U) {
        image.beams ^= (uint64_t)1U << below(64U);
    } else if (below(20U) == 0U) {
        image.beams = 0U;
    } else {
        /* as before */
    }
    if (!image.has_light) {
        image.beams = UINT64_MAX;
    }
    image.hazards = (uint8_t)((below(60U) == 0U) ? below(8U) : ((below(20U) == 0U) ? 0U : image.hazards));
    image.supervision.is_memory_well = below(500U) != 0U;
    image.supervision.supply_mv = (uint16_t)((below(300U) == 0U) ? random32() : 24000U);
    image.supervision.tenths_celsius = (int16_t)((below(300U) == 0U) ? (int32_t)below(65536U) - 32768 : 300);
    image.next_token = random32();
}

/* What the board said must be frames of its own types, whole. */
static void check_output(void)
{
    tg_decoder decoder;
    tg_frame frame;

    tg_decoder_reset(&decoder);
    for (uint32_t i = 0U; i < image.output_count; i++) {
        const tg_found found = tg_decode(&decoder, image.output[i], &frame);
        require((found == TG_NOTHING) || ((found == TG_FRAME) && (frame.type >= (uint8_t)TG_HELLO_ACK)), "output");
    }
    require(decoder.count == 0U, "half a frame");
    image.output_count = 0U;
}

static void check_board(void)
{
    const bool is_free = board.is_released || board.is_evacuating;

    require(board.link.event_count <= TG_MAX_EVENTS, "event queue");
    require(board.link.done_count <= TG_REMEMBERED_COMMANDS, "memory of commands");
    require(board.link.decoder.count <= TG_MAX_ENCODED, "receiver's buffer");
    require(is_free || !((image.entry_motor > 0) && (image.exit_motor > 0) && (!image.is_entry_lock_driven) &&
                         (!image.is_exit_lock_driven) && board.entry.wants_open && board.exit.wants_open),
            "both doors driven open");
    require((board.exit_token == TG_NO_TOKEN) || (!tg_board_is_holding(&board) && !board.is_evacuating), "token while held");
    require((board.exit_token == TG_NO_TOKEN) || (board.selftest.failed == 0U), "token with a failed device");
    require((board.exit_token == TG_NO_TOKEN) || (board.link.session != 0U), "token without a session");
    require(!board.is_stopped || board.is_released || ((image.entry_motor == 0) && (image.exit_motor == 0)),
            "a motor runs in an emergency stop");
}

static void one_boot(uint64_t *fed)
{
    uint8_t bytes[PIECE_BYTES];
    const uint8_t beams = (uint8_t)(4U + below(61U));
    const tg_config config = {
        .board_id = random32(),
        .watchdog_ms = (uint16_t)(1U + below(2000U)),
        .entry_kind = (uint8_t)below(5U),
        .exit_kind = (uint8_t)(1U + below(4U)),
        .beam_count = beams,
        .first_inside_beam = 1U,
        .last_inside_beam = (uint8_t)(beams - 2U),
        .beam_pitch_mm = (uint8_t)(1U + below(255U)),
        .curtain_settle_ms = (uint16_t)below(50U),
        .lowest_supply_mv = 21600U,
        .highest_supply_mv = 26400U,
        .lowest_tenths_celsius = -200,
        .highest_tenths_celsius = 700,
    };

    require(tg_config_is_valid(&config), "configuration");
    (void)memset(&image, 0, sizeof(image));
    image.entry.is_locked = true;
    image.exit.is_locked = true;
    image.has_light = true;
    tg_board_begin(&board, &TG_IMAGE_HAL, &image, &config, random32());
    board.uptime_ms = (below(4U) == 0U) ? (UINT32_MAX - below(20000U)) : 0U;
    for (int i = 0; i < STEPS_A_BOOT; i++) {
        some_inputs();
        if (below(2U) == 0U) {
            const size_t count = some_bytes(bytes);
            tg_board_receive(&board, bytes, count);
            check_board();
            *fed += count;
        }
        tg_board_step(&board, 1U + below(20U));
        check_output();
        check_board();
    }
}

int main(int argc, char **argv)
{
    const double seconds = (argc > 1) ? strtod(argv[1], NULL) : 1.0;
    const uint64_t seed = (argc > 2) ? strtoull(argv[2], NULL, 10) : 1U;
    const clock_t began = clock();
    uint64_t boots = 0U;
    uint64_t fed = 0U;

    (void)printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    state = (seed * 0x9E3779B97F4A7C15ULL) | 1U;
    do {
        one_boot(&fed);
        boots++;
    } while (((double)(clock() - began) / (double)CLOCKS_PER_SEC) < seconds);
    (void)printf("%llu boots, %llu bytes, no finding\n", (unsigned long long)boots, (unsigned long long)fed);
    return 0;
}
