/* Frames on the line: 00, COBS(version, sequence, type, payload, CRC-16/IBM-3740), 00. Bytes in, frames or a counted fault out. */
#ifndef TG_FRAME_H
#define TG_FRAME_H

#include <stddef.h>

#include "tg_types.h"

typedef struct {
    uint16_t sequence;
    uint8_t type;
    uint8_t length;
    uint8_t payload[TG_MAX_PAYLOAD];
} tg_frame;

/* What a byte completed. From TG_BAD_COBS on: bytes between two delimiters that are no frame. */
typedef enum {
    TG_NOTHING = 0,
    TG_FRAME,
    TG_BAD_COBS,
    TG_BAD_CRC,
    TG_BAD_PAYLOAD,
    TG_TOO_LONG,
    TG_TOO_SHORT,
    TG_UNKNOWN_TYPE,
    TG_UNKNOWN_VERSION
} tg_found;

typedef struct {
    uint8_t bytes[TG_MAX_ENCODED];
    uint8_t count;
    bool is_overlong;
} tg_decoder;

uint16_t tg_crc(const uint8_t *bytes, size_t count);

/* The bytes of a frame on the line; returns how many of TG_MAX_LINE. `frame->length` is at most TG_MAX_PAYLOAD. */
size_t tg_encode(const tg_frame *frame, uint8_t line[TG_MAX_LINE]);

void tg_decoder_reset(tg_decoder *decoder);

/* Takes one byte. On TG_FRAME `frame` is what came; its type is a known one, its payload has that type's length and only
   values that are defined. */
tg_found tg_decode(tg_decoder *decoder, uint8_t byte, tg_frame *frame);

/* The length of a type's payload, or -1 for a type that is not of this version. */
int tg_payload_length(uint8_t type);

uint16_t tg_get_u16(const uint8_t *bytes);
uint32_t tg_get_u32(const uint8_t *bytes);
void tg_put_u16(uint8_t *bytes, uint16_t value);
void tg_put_u32(uint8_t *bytes, uint32_t value);
void tg_put_u64(uint8_t *bytes, uint64_t value);

#endif
