#include "tg_selftest.h"

#include "tg_curtain.h"
#include "tg_door.h"

#define FAILED_AFTER_MS 300U

static const uint16_t WATCHED[TG_WATCHED] = {TG_FAILED_ENTRY_LOCK, TG_FAILED_EXIT_LOCK, TG_FAILED_MEMORY,
                                             TG_FAILED_SUPPLY, TG_FAILED_TEMPERATURE};

void tg_selftest_begin(tg_selftest *test)
{
    test->phase = TG_PHASE_WAITING;
    test->phase_ms = 0U;
    test->is_judged = false;
    test->is_curtain_bad = false;
    test->failed = 0U;
    for (uint8_t i = 0U; i < TG_WATCHED; i++) {
        test->wrong_ms[i] = 0U;
    }
}

bool tg_selftest_is_blind(const tg_selftest *test)
{
    return (test->phase == TG_PHASE_DARK) || (test->phase == TG_PHASE_LIGHT);
}

bool tg_selftest_is_passed(const tg_selftest *test)
{
    return (test->phase == TG_PHASE_IDLE) && (test->failed == 0U);
}

enum tg_self_test_state tg_selftest_state(const tg_selftest *test)
{
    if (tg_selftest_is_blind(test)) {
        return TG_TEST_RUNNING;
    }
    if (test->phase == TG_PHASE_WAITING) {
        return TG_TEST_PENDING;
    }
    return (test->failed != 0U) ? TG_TEST_FAILED : TG_TEST_PASSED;
}

void tg_selftest_ask(tg_selftest *test)
{
    if (test->phase == TG_PHASE_IDLE) {
        test->phase = TG_PHASE_WAITING;
    }
}

uint16_t tg_wrong_supplies(const tg_config *config, const tg_supervision *supervision, bool is_power_failed)
{
    const bool is_supply_well = (supervision->supply_mv >= config->lowest_supply_mv) &&
                                (supervision->supply_mv <= config->highest_supply_mv);
    const bool is_cool = (supervision->tenths_celsius >= config->lowest_tenths_celsius) &&
                         (supervision->tenths_celsius <= config->highest_tenths_celsius);
    uint32_t wrong = 0U;

    wrong |= supervision->is_memory_well ? 0U : TG_FAILED_MEMORY;
    wrong |= (is_supply_well || is_power_failed) ? 0U : TG_FAILED_SUPPLY;
    wrong |= is_cool ? 0U : TG_FAILED_TEMPERATURE;
    return (uint16_t)wrong;
}

static void enter(tg_selftest *test, tg_phase phase)
{
    test->phase = phase;
    test->phase_ms = 0U;
}

static uint8_t watch(tg_selftest *test, uint32_t dt_ms, uint16_t wrong)
{
    const uint16_t before = test->failed;

    for (uint8_t i = 0U; i < TG_WATCHED; i++) {
        const bool is_wrong = (wrong & WATCHED[i]) != 0U;
        test->wrong_ms[i] = is_wrong ? tg_add_ms(test->wrong_ms[i], dt_ms) : 0U;
        if (test->wrong_ms[i] >= FAILED_AFTER_MS) {
            test->failed = (uint16_t)(test->failed | WATCHED[i]);
        }
    }
    return (test->failed != before) ? (uint8_t)TG_SELF_TEST_FAILED : 0U;
}

uint8_t tg_selftest_step(tg_selftest *test, const tg_config *config, uint32_t dt_ms, uint64_t beams, uint16_t wrong,
                         bool may_run)
{
    uint8_t news = watch(test, dt_ms, wrong);
    bool is_settled;

    test->phase_ms = tg_add_ms(test->phase_ms, dt_ms);
    is_settled = test->phase_ms >= config->curtain_settle_ms;
    switch (test->phase) {
    case TG_PHASE_WAITING:
        if (may_run) {
            enter(test, TG_PHASE_DARK);
        }
        break;
    case TG_PHASE_DARK:
        if (!may_run) {
            test->is_judged = false;
            enter(test, TG_PHASE_LIGHT);
        } else if (is_settled) {
            test->is_judged = true;
            test->is_curtain_bad = beams != tg_all_beams(config->beam_count);
            enter(test, TG_PHASE_LIGHT);
        } else {
            /* the emitters are still glowing */
        }
        break;
    case TG_PHASE_LIGHT:
        if (is_settled) {
            if (test->is_judged && may_run) {
                test->failed = (uint16_t)(wrong | (test->is_curtain_bad ? TG_FAILED_CURTAIN : 0U));
                news = (test->failed != 0U) ? (uint8_t)TG_SELF_TEST_FAILED : (uint8_t)TG_SELF_TEST_PASSED;
                enter(test, TG_PHASE_IDLE);
            } else {
                enter(test, TG_PHASE_WAITING);
            }
        }
        break;
    case TG_PHASE_IDLE:
    default:
        break;
    }
    return news;
}
