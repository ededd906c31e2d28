/* The numbers of Lane Link 1.0 (docs/protocols/lane-link.md) and what a board is fitted with. */
#ifndef TG_TYPES_H
#define TG_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#define TG_PROTOCOL_VERSION 1U
#define TG_MAX_PAYLOAD 64U
#define TG_HEADER_BYTES 4U
#define TG_CRC_BYTES 2U
#define TG_MIN_BODY (TG_HEADER_BYTES + TG_CRC_BYTES)
#define TG_MAX_BODY (TG_MIN_BODY + TG_MAX_PAYLOAD)
#define TG_MAX_ENCODED (TG_MAX_BODY + 1U) /* COBS adds one byte to a body of up to 254 */
#define TG_MAX_LINE (TG_MAX_ENCODED + 2U) /* and a delimiter on either side */
#define TG_MAX_BEAMS 64U
#define TG_NO_TOKEN 0U

enum tg_type {
    TG_HELLO = 0x01,
    TG_HEARTBEAT = 0x02,
    TG_EVENT_ACK = 0x03,
    TG_MOVE_ENTRY = 0x10,
    TG_OPEN_EXIT = 0x11,
    TG_CLOSE_EXIT = 0x12,
    TG_LAMP = 0x13,
    TG_BUZZER = 0x14,
    TG_ACK_FAULT = 0x15,
    TG_BEGIN_EVACUATION = 0x16,
    TG_END_EVACUATION = 0x17,
    TG_SELF_TEST = 0x18,
    TG_HELLO_ACK = 0x81,
    TG_SENSORS = 0x82,
    TG_ACK = 0x83,
    TG_EVENT = 0x84
};

enum tg_position {
    TG_POSITION_UNKNOWN = 0,
    TG_POSITION_CLOSED = 1,
    TG_POSITION_OPENING = 2,
    TG_POSITION_OPEN = 3,
    TG_POSITION_CLOSING = 4,
    TG_POSITION_ABSENT = 5
};

enum tg_door_kind { TG_KIND_NONE = 0, TG_KIND_SWING = 1, TG_KIND_FLAP = 2, TG_KIND_SLIDING = 3, TG_KIND_TRIPOD = 4 };
enum tg_door_name { TG_DOOR_NONE = 0, TG_DOOR_ENTRY = 1, TG_DOOR_EXIT = 2 };
enum tg_target { TG_TARGET_CLOSED = 1, TG_TARGET_OPEN = 3 };
enum tg_lamp { TG_LAMP_OFF = 0, TG_LAMP_BLUE = 1, TG_LAMP_GREEN = 2, TG_LAMP_AMBER = 3, TG_LAMP_RED = 4 };
enum tg_buzzer { TG_BUZZER_OFF = 0, TG_BUZZER_SHORT = 1, TG_BUZZER_DOUBLE = 2, TG_BUZZER_ALARM = 3 };

enum tg_result {
    TG_DONE = 0,
    TG_REFUSED_TOKEN = 1,
    TG_REFUSED_INTERLOCK = 2,
    TG_REFUSED_STATE = 3,
    TG_STALE_SEQUENCE = 4,
    TG_NO_SESSION = 5
};

enum tg_event_code {
    TG_BOOTED = 1,
    TG_DOOR_OPENED = 2,
    TG_DOOR_FORCED = 3,
    TG_DOOR_JAMMED = 4,
    TG_DOOR_OBSTRUCTED = 5,
    TG_PASSAGE_FORWARD = 6,
    TG_PASSAGE_BACK = 7,
    TG_WATCHDOG_TRIPPED = 8,
    TG_ESTOP_PRESSED = 9,
    TG_ESTOP_RELEASED = 10,
    TG_FIRE_RAISED = 11,
    TG_FIRE_CLEARED = 12,
    TG_POWER_FAILED = 13,
    TG_POWER_RESTORED = 14,
    TG_EVENTS_LOST = 15,
    TG_SELF_TEST_PASSED = 16,
    TG_SELF_TEST_FAILED = 17
};

enum tg_reason {
    TG_BY_COMMAND = 1,
    TG_BY_TOKEN = 2,
    TG_BY_FIRE = 3,
    TG_BY_POWER = 4,
    TG_BY_EVACUATION = 5,
    TG_BY_FORCE = 6
};

enum tg_self_test_state { TG_TEST_PENDING = 0, TG_TEST_RUNNING = 1, TG_TEST_PASSED = 2, TG_TEST_FAILED = 3 };

#define TG_FAILED_CURTAIN 0x01U
#define TG_FAILED_ENTRY_LOCK 0x02U
#define TG_FAILED_EXIT_LOCK 0x04U
#define TG_FAILED_MEMORY 0x08U
#define TG_FAILED_SUPPLY 0x10U
#define TG_FAILED_TEMPERATURE 0x20U

#define TG_HAZARD_ESTOP 0x01U
#define TG_HAZARD_FIRE 0x02U
#define TG_HAZARD_POWER 0x04U
#define TG_HAZARD_WATCHDOG 0x08U
#define TG_HAZARD_EVACUATING 0x10U
#define TG_HAZARD_HOLDING 0x20U

/* What is fixed when a board is fitted to a lane. tg_config_is_valid says whether it can be. */
typedef struct {
    uint32_t board_id;
    uint16_t watchdog_ms;
    uint8_t entry_kind; /* enum tg_door_kind; TG_KIND_NONE in a lane of one door */
    uint8_t exit_kind;
    uint8_t beam_count; /* 4 to 64 */
    uint8_t first_inside_beam;
    uint8_t last_inside_beam;
    uint8_t beam_pitch_mm;
    uint16_t curtain_settle_ms; /* from switching the emitters to receivers that show it */
    uint16_t lowest_supply_mv;
    uint16_t highest_supply_mv;
    int16_t lowest_tenths_celsius;
    int16_t highest_tenths_celsius;
} tg_config;

typedef struct {
    uint16_t position_permille; /* 0 shut to 1000 open; the ends are switches */
    bool is_locked;             /* the lock's contact */
    bool is_touching;           /* the safety edge is pressed */
} tg_door_inputs;

typedef struct {
    uint16_t supply_mv;
    int16_t tenths_celsius;
    bool is_memory_well; /* of the memory test that the processor runs by itself */
} tg_supervision;

#endif
