/* A lane controller board: the rules of docs/protocols/lane-link.md, "What the board keeps by itself".
 *
 * Main loop: whenever bytes came, tg_board_receive; every 10 ms, tg_board_step with the milliseconds that passed; then kick the
 * processor's own watchdog. Both from one thread, never from an interrupt. Twin: simulator/firmware.py. */
#ifndef TG_BOARD_H
#define TG_BOARD_H

#include "tg_curtain.h"
#include "tg_door.h"
#include "tg_hal.h"
#include "tg_link.h"
#include "tg_selftest.h"

#define TG_FIRMWARE_MAJOR 1U
#define TG_FIRMWARE_MINOR 0U
#define TG_FIRMWARE_PATCH 0U
#define TG_SENSORS_BYTES 36U

typedef struct {
    const tg_hal *hal;
    void *context;
    tg_config config;
    tg_link link;
    tg_door entry;
    tg_door exit;
    tg_selftest selftest;
    tg_passage_sense entry_sense;
    tg_passage_sense exit_sense;
    uint32_t uptime_ms;
    uint64_t receivers; /* what the curtain says now */
    uint64_t beams;     /* what it said when it was last to be believed */
    uint32_t beams_changed_ms;
    tg_supervision supervision;
    bool is_estop_pressed;
    bool is_fire;
    bool is_power_failed;
    bool is_watchdog_tripped;
    bool is_evacuating;
    bool is_released; /* the exit stands released by fire or power loss until acknowledged */
    bool is_stopped;  /* the emergency stop was pressed and its release not acknowledged */
    uint8_t lamp;
    uint8_t buzzer;
    uint8_t person_count;
    uint32_t exit_token;
    bool has_basis; /* what the token is good for */
    uint32_t basis_session;
    uint8_t basis_count;
    bool was_sent;
    uint32_t sent_ms;
    uint8_t sent[TG_SENSORS_BYTES];
} tg_board;

bool tg_config_is_valid(const tg_config *config);

/* `config` must be valid, `boot_id` another one than at the last boot. Reads the doors once; nothing moves before a step. */
void tg_board_begin(tg_board *board, const tg_hal *hal, void *context, const tg_config *config, uint32_t boot_id);

/* Acts on the host's bytes at once, and tells at once what that changed. */
void tg_board_receive(tg_board *board, const uint8_t *bytes, size_t count);

/* One scan: inputs, watchdog, self-test, doors, people, token, report, outputs. `dt_ms` at most some tens. */
void tg_board_step(tg_board *board, uint32_t dt_ms);

/* A latched fault keeps motion commands refused until ACK_FAULT. */
bool tg_board_is_holding(const tg_board *board);

/* tg_command.c, tg_report.c: parts of the board in files of their own. */
enum tg_result tg_board_act(tg_board *board, const tg_frame *command);
bool tg_board_may_test(const tg_board *board);
void tg_board_shut_all(tg_board *board);
void tg_board_report(tg_board *board);
void tg_board_introduce(tg_board *board, const tg_frame *hello, uint8_t version);
uint8_t tg_board_shown_lamp(const tg_board *board);

#endif
