#include "tg_link.h"

#include <string.h>

#define EVENT_RESEND_MS 100U
#define HALF_SEQUENCES 0x8000U

void tg_link_begin(tg_link *link, const tg_hal *hal, void *context, uint32_t boot_id)
{
    (void)memset(link, 0, sizeof(*link));
    link->hal = hal;
    link->context = context;
    link->boot_id = boot_id;
    link->is_event_due = true;
    tg_decoder_reset(&link->decoder);
}

void tg_link_send(tg_link *link, uint16_t sequence, enum tg_type type, const uint8_t *payload)
{
    tg_frame frame;
    uint8_t line[TG_MAX_LINE];
    size_t count;

    frame.sequence = sequence;
    frame.type = (uint8_t)type;
    frame.length = (uint8_t)tg_payload_length((uint8_t)type);
    (void)memcpy(frame.payload, payload, frame.length);
    count = tg_encode(&frame, line);
    link->hal->send(link->context, line, count);
}

void tg_link_send_sensors(tg_link *link, const uint8_t *payload)
{
    link->sensors_sequence++;
    tg_link_send(link, link->sensors_sequence, TG_SENSORS, payload);
}

void tg_link_add_event(tg_link *link, enum tg_event_code code, enum tg_door_name door, uint32_t detail,
                       uint32_t uptime_ms)
{
    tg_event *event;

    if (link->event_count >= TG_MAX_EVENTS) {
        link->lost_events++;
        return;
    }
    event = &link->events[(link->event_first + link->event_count) % TG_MAX_EVENTS];
    link->event_count++;
    link->event_sequence++;
    event->sequence = link->event_sequence;
    event->uptime_ms = uptime_ms;
    event->code = (uint8_t)code;
    event->door = (uint8_t)door;
    event->detail = detail;
}

static void send_event(tg_link *link, const tg_event *event)
{
    uint8_t payload[18];

    tg_put_u32(&payload[0], event->sequence);
    tg_put_u32(&payload[4], link->boot_id);
    tg_put_u32(&payload[8], event->uptime_ms);
    payload[12] = event->code;
    payload[13] = event->door;
    tg_put_u32(&payload[14], event->detail);
    tg_link_send(link, 0U, TG_EVENT, payload);
}

void tg_link_step(tg_link *link, uint32_t uptime_ms)
{
    if ((link->lost_events > 0U) && (link->event_count < TG_MAX_EVENTS)) {
        const uint32_t lost = link->lost_events;
        link->lost_events = 0U;
        tg_link_add_event(link, TG_EVENTS_LOST, TG_DOOR_NONE, lost, uptime_ms);
    }
    if ((link->session != 0U) && (link->event_count > 0U) &&
        (link->is_event_due || ((uptime_ms - link->event_sent_ms) >= EVENT_RESEND_MS))) {
        link->is_event_due = false;
        link->event_sent_ms = uptime_ms;
        send_event(link, &link->events[link->event_first]);
    }
}

uint8_t tg_link_greet(tg_link *link, const tg_frame *hello, uint32_t uptime_ms)
{
    const uint8_t lowest = hello->payload[0];
    const uint8_t highest = hello->payload[1];
    const uint32_t session = tg_get_u32(&hello->payload[2]);

    if ((session == 0U) || (lowest > TG_PROTOCOL_VERSION) || (highest < TG_PROTOCOL_VERSION)) {
        return 0U;
    }
    if (session != link->session) {
        if (link->session == 0U) {
            /* A host that greets again and again and never beats is not alive: the watchdog goes on. */
            link->was_fed = true;
            link->fed_ms = uptime_ms;
        }
        link->session = session;
        link->sessions_begun++;
        link->done_count = 0U;
        link->done_next = 0U;
        link->has_newest = false;
        link->is_event_due = true;
    }
    return (uint8_t)TG_PROTOCOL_VERSION;
}

static void acknowledge(tg_link *link, uint16_t sequence, uint32_t session, uint8_t result)
{
    uint8_t payload[5];

    tg_put_u32(&payload[0], session);
    payload[4] = result;
    tg_link_send(link, sequence, TG_ACK, payload);
}

void tg_link_beat(tg_link *link, const tg_frame *heartbeat, uint32_t uptime_ms)
{
    const uint32_t session = tg_get_u32(&heartbeat->payload[0]);

    if ((session == link->session) && (session != 0U)) {
        link->fed_ms = uptime_ms;
    } else {
        acknowledge(link, heartbeat->sequence, session, (uint8_t)TG_NO_SESSION);
    }
}

void tg_link_forget_event(tg_link *link, const tg_frame *ack)
{
    const bool is_ours = tg_get_u32(&ack->payload[4]) == link->boot_id;

    if (is_ours && (link->event_count > 0U) &&
        (link->events[link->event_first].sequence == tg_get_u32(&ack->payload[0]))) {
        link->event_first = (uint8_t)((link->event_first + 1U) % TG_MAX_EVENTS);
        link->event_count--;
        link->is_event_due = true;
    }
}

bool tg_link_is_new(tg_link *link, const tg_frame *command)
{
    const uint32_t session = tg_get_u32(&command->payload[0]);

    if ((session != link->session) || (session == 0U)) {
        acknowledge(link, command->sequence, session, (uint8_t)TG_NO_SESSION);
        return false;
    }
    for (uint8_t i = 0U; i < link->done_count; i++) {
        if (link->done[i].sequence == command->sequence) {
            acknowledge(link, command->sequence, session, link->done[i].result);
            return false;
        }
    }
    if (link->has_newest && ((uint16_t)(command->sequence - link->newest) >= HALF_SEQUENCES)) {
        acknowledge(link, command->sequence, session, (uint8_t)TG_STALE_SEQUENCE);
        return false;
    }
    return true;
}

void tg_link_answer(tg_link *link, const tg_frame *command, enum tg_result result)
{
    tg_done_command *done = &link->done[link->done_next];

    done->sequence = command->sequence;
    done->result = (uint8_t)result;
    link->done_next = (uint8_t)((link->done_next + 1U) % TG_REMEMBERED_COMMANDS);
    if (link->done_count < TG_REMEMBERED_COMMANDS) {
        link->done_count++;
    }
    link->has_newest = true;
    link->newest = command->sequence;
    acknowledge(link, command->sequence, tg_get_u32(&command->payload[0]), (uint8_t)result);
}
