/* The board's half of the line: session, repeated commands, events kept until taken. Twin: simulator/board_link.py. */
#ifndef TG_LINK_H
#define TG_LINK_H

#include "tg_frame.h"
#include "tg_hal.h"

#define TG_REMEMBERED_COMMANDS 16U
#define TG_MAX_EVENTS 32U

typedef struct {
    uint32_t sequence;
    uint32_t uptime_ms;
    uint32_t detail;
    uint8_t code;
    uint8_t door;
} tg_event;

typedef struct {
    uint16_t sequence;
    uint8_t result;
} tg_done_command;

typedef struct {
    const tg_hal *hal;
    void *context;
    tg_decoder decoder;
    uint32_t boot_id;
    uint32_t session; /* 0: none is open */
    uint32_t sessions_begun;
    bool was_fed; /* a session has begun since boot */
    uint32_t fed_ms;
    bool has_newest;
    uint16_t newest;
    tg_done_command done[TG_REMEMBERED_COMMANDS];
    uint8_t done_count;
    uint8_t done_next;
    tg_event events[TG_MAX_EVENTS];
    uint8_t event_first;
    uint8_t event_count;
    uint32_t event_sequence;
    uint32_t lost_events;
    bool is_event_due;
    uint32_t event_sent_ms;
    uint16_t sensors_sequence;
    uint32_t line_faults; /* pieces that were no frame: a measure of the wiring */
} tg_link;

void tg_link_begin(tg_link *link, const tg_hal *hal, void *context, uint32_t boot_id);

/* Queues an event. When the queue is full the newest is lost, and a count of the lost follows. */
void tg_link_add_event(tg_link *link, enum tg_event_code code, enum tg_door_name door, uint32_t detail,
                       uint32_t uptime_ms);

/* Sends the oldest event that was not taken yet, again and again. Once a scan. */
void tg_link_step(tg_link *link, uint32_t uptime_ms);

void tg_link_send(tg_link *link, uint16_t sequence, enum tg_type type, const uint8_t *payload);
void tg_link_send_sensors(tg_link *link, const uint8_t *payload);

/* Opens the session of a HELLO if it may; returns the version to answer with, 0 for none. */
uint8_t tg_link_greet(tg_link *link, const tg_frame *hello, uint32_t uptime_ms);
void tg_link_beat(tg_link *link, const tg_frame *heartbeat, uint32_t uptime_ms);
void tg_link_forget_event(tg_link *link, const tg_frame *ack);

/* True when a command is to be carried out now, and then tg_link_answer told the result; false when it was answered here: of
   another session, repeated, or older than what is remembered. */
bool tg_link_is_new(tg_link *link, const tg_frame *command);
void tg_link_answer(tg_link *link, const tg_frame *command, enum tg_result result);

#endif
