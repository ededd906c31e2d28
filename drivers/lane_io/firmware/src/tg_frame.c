#include "tg_frame.h"

#include <string.h>

uint16_t tg_get_u16(const uint8_t *bytes)
{
    return (uint16_t)((uint16_t)bytes[0] | (uint16_t)((uint16_t)bytes[1] << 8));
}

uint32_t tg_get_u32(const uint8_t *bytes)
{
    return (uint32_t)tg_get_u16(bytes) | ((uint32_t)tg_get_u16(&bytes[2]) << 16);
}

void tg_put_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value & 0xFFU);
    bytes[1] = (uint8_t)(value >> 8);
}

void tg_put_u32(uint8_t *bytes, uint32_t value)
{
    tg_put_u16(bytes, (uint16_t)(value & 0xFFFFU));
    tg_put_u16(&bytes[2], (uint16_t)(value >> 16));
}

void tg_put_u64(uint8_t *bytes, uint64_t value)
{
    tg_put_u32(bytes, (uint32_t)(value & 0xFFFFFFFFU));
    tg_put_u32(&bytes[4], (uint32_t)(value >> 32));
}

/* CRC-16/IBM-3740: polynomial 0x1021, initial 0xFFFF, not reflected, no final xor; "123456789" gives 0x29B1. */
uint16_t tg_crc(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xFFFFU;

    for (size_t i = 0; i < count; i++) {
        crc ^= (uint32_t)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = ((crc & 0x8000U) != 0U) ? ((crc << 1) ^ 0x1021U) : (crc << 1);
            crc &= 0xFFFFU;
        }
    }
    return (uint16_t)crc;
}

/* `count` is at most TG_MAX_BODY, so that no block is ever full (254) and one byte is all that is added. */
static size_t cobs_encode(const uint8_t *body, size_t count, uint8_t *encoded)
{
    size_t code_at = 0;
    size_t written = 1;
    uint8_t code = 1;

    for (size_t i = 0; i < count; i++) {
        if (body[i] == 0U) {
            encoded[code_at] = code;
            code_at = written;
            code = 1;
        } else {
            encoded[written] = body[i];
            code++;
        }
        written++;
    }
    encoded[code_at] = code;
    return written;
}

/* -1 when a block reaches over the end. The result is shorter than `encoded`. */
static int cobs_decode(const uint8_t *encoded, size_t count, uint8_t *body)
{
    size_t at = 0;
    int written = 0;

    while (at < count) {
        size_t code = encoded[at];
        if ((code == 0U) || ((at + code) > count)) {
            return -1;
        }
        for (size_t i = 1; i < code; i++) {
            body[written] = encoded[at + i];
            written++;
        }
        at += code;
        if (at < count) {
            body[written] = 0U;
            written++;
        }
    }
    return written;
}

size_t tg_encode(const tg_frame *frame, uint8_t line[TG_MAX_LINE])
{
    uint8_t body[TG_MAX_BODY];
    size_t length = (frame->length <= TG_MAX_PAYLOAD) ? frame->length : TG_MAX_PAYLOAD;
    size_t count = TG_HEADER_BYTES + length;
    size_t written;

    body[0] = TG_PROTOCOL_VERSION;
    tg_put_u16(&body[1], frame->sequence);
    body[3] = frame->type;
    (void)memcpy(&body[TG_HEADER_BYTES], frame->payload, length);
    tg_put_u16(&body[count], tg_crc(body, count));
    line[0] = 0U;
    written = 1U + cobs_encode(body, count + TG_CRC_BYTES, &line[1]);
    line[written] = 0U;
    return written + 1U;
}

int tg_payload_length(uint8_t type)
{
    switch (type) {
    case TG_HELLO:
        return 6;
    case TG_HEARTBEAT:
    case TG_CLOSE_EXIT:
    case TG_ACK_FAULT:
    case TG_BEGIN_EVACUATION:
    case TG_END_EVACUATION:
    case TG_SELF_TEST:
        return 4;
    case TG_EVENT_ACK:
    case TG_OPEN_EXIT:
        return 8;
    case TG_MOVE_ENTRY:
    case TG_LAMP:
    case TG_BUZZER:
    case TG_ACK:
        return 5;
    case TG_HELLO_ACK:
        return 24;
    case TG_SENSORS:
        return 36;
    case TG_EVENT:
        return 18;
    default:
        return -1;
    }
}

/* A board has no use for what boards send: their values are not looked at. */
static bool has_defined_values(uint8_t type, const uint8_t *payload)
{
    switch (type) {
    case TG_MOVE_ENTRY:
        return (payload[4] == (uint8_t)TG_TARGET_CLOSED) || (payload[4] == (uint8_t)TG_TARGET_OPEN);
    case TG_LAMP:
        return payload[4] <= (uint8_t)TG_LAMP_RED;
    case TG_BUZZER:
        return payload[4] <= (uint8_t)TG_BUZZER_ALARM;
    default:
        return true;
    }
}

static tg_found decode_body(const uint8_t *encoded, size_t count, tg_frame *frame)
{
    uint8_t body[TG_MAX_ENCODED];
    int length = cobs_decode(encoded, count, body);
    size_t checked;

    if (length < 0) {
        return TG_BAD_COBS;
    }
    if ((size_t)length < TG_MIN_BODY) {
        return TG_TOO_SHORT;
    }
    checked = (size_t)length - TG_CRC_BYTES;
    if (tg_crc(body, checked) != tg_get_u16(&body[checked])) {
        return TG_BAD_CRC;
    }
    if (body[0] != TG_PROTOCOL_VERSION) {
        return TG_UNKNOWN_VERSION;
    }
    if (tg_payload_length(body[3]) < 0) {
        return TG_UNKNOWN_TYPE;
    }
    if ((size_t)tg_payload_length(body[3]) != (checked - TG_HEADER_BYTES)) {
        return TG_BAD_PAYLOAD;
    }
    if (!has_defined_values(body[3], &body[TG_HEADER_BYTES])) {
        return TG_BAD_PAYLOAD;
    }
    frame->sequence = tg_get_u16(&body[1]);
    frame->type = body[3];
    frame->length = (uint8_t)(checked - TG_HEADER_BYTES);
    (void)memcpy(frame->payload, &body[TG_HEADER_BYTES], frame->length);
    return TG_FRAME;
}

void tg_decoder_reset(tg_decoder *decoder)
{
    decoder->count = 0U;
    decoder->is_overlong = false;
}

tg_found tg_decode(tg_decoder *decoder, uint8_t byte, tg_frame *frame)
{
    tg_found found = TG_NOTHING;

    if (byte != 0U) {
        if (decoder->count < TG_MAX_ENCODED) {
            decoder->bytes[decoder->count] = byte;
            decoder->count++;
        } else {
            decoder->is_overlong = true;
        }
        return TG_NOTHING;
    }
    if (decoder->is_overlong) {
        found = TG_TOO_LONG;
    } else if (decoder->count > 0U) {
        found = decode_body(decoder->bytes, decoder->count, frame);
    } else {
        found = TG_NOTHING;
    }
    tg_decoder_reset(decoder);
    return found;
}
