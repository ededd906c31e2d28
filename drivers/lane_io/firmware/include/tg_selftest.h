/* Tests of the safety devices: the curtain in the dark, the rest by watching. Twin: simulator/board_selftest.py. */
#ifndef TG_SELFTEST_H
#define TG_SELFTEST_H

#include "tg_types.h"

#define TG_WATCHED 5U

typedef enum { TG_PHASE_IDLE = 0, TG_PHASE_WAITING, TG_PHASE_DARK, TG_PHASE_LIGHT } tg_phase;

typedef struct {
    tg_phase phase;
    uint32_t phase_ms;
    bool is_judged;
    bool is_curtain_bad;
    uint16_t failed; /* TG_FAILED_* */
    uint32_t wrong_ms[TG_WATCHED];
} tg_selftest;

void tg_selftest_begin(tg_selftest *test);
bool tg_selftest_is_blind(const tg_selftest *test); /* the curtain tells nothing now */
bool tg_selftest_is_passed(const tg_selftest *test);
enum tg_self_test_state tg_selftest_state(const tg_selftest *test);
void tg_selftest_ask(tg_selftest *test);

/* Memory, supply and temperature as they are now. Without mains the buffer's voltage says nothing. */
uint16_t tg_wrong_supplies(const tg_config *config, const tg_supervision *supervision, bool is_power_failed);

/* One scan. `beams` as the receivers say; `wrong` are the watched devices that look wrong now; `may_run` while the doors are
   shut and locked and nothing holds. Returns TG_SELF_TEST_PASSED or _FAILED when that is news, else 0. */
uint8_t tg_selftest_step(tg_selftest *test, const tg_config *config, uint32_t dt_ms, uint64_t beams, uint16_t wrong,
                         bool may_run);

#endif
