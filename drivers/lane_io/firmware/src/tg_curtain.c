#include "tg_curtain.h"

#define PERSON_MM 300U

uint64_t tg_all_beams(uint8_t beam_count)
{
    return (beam_count >= TG_MAX_BEAMS) ? UINT64_MAX : (((uint64_t)1U << beam_count) - 1U);
}

uint8_t tg_doorway(uint64_t beams, uint8_t first_beam)
{
    return (uint8_t)((beams >> first_beam) & 0x3U);
}

static uint8_t person_beams(uint8_t pitch_mm)
{
    const uint32_t beams = (PERSON_MM + ((uint32_t)pitch_mm / 2U)) / (uint32_t)pitch_mm;
    return (beams < 1U) ? 1U : (uint8_t)((beams > TG_MAX_BEAMS) ? TG_MAX_BEAMS + 1U : beams);
}

uint8_t tg_count_people(const tg_config *config, uint64_t beams, bool is_entry_cut, bool is_exit_cut)
{
    const uint8_t least = person_beams(config->beam_pitch_mm);
    const uint8_t past_inside = (uint8_t)(config->last_inside_beam + 1U);
    uint8_t people = 0U;
    uint8_t start = 0U;
    bool is_in_run = false;

    for (uint8_t i = 0U; i <= config->beam_count; i++) {
        const bool is_broken = (i < config->beam_count) && (((beams >> i) & 1U) != 0U);
        const bool is_cut = (is_entry_cut && (i == config->first_inside_beam)) || (is_exit_cut && (i == past_inside));
        if (is_in_run && ((!is_broken) || is_cut)) {
            if ((start < past_inside) && (i > config->first_inside_beam)) {
                people = (uint8_t)(people + ((uint8_t)(i - start) / least));
            }
            is_in_run = false;
        }
        if (is_broken && (!is_in_run)) {
            start = i;
            is_in_run = true;
        }
    }
    return people;
}

void tg_passage_begin(tg_passage_sense *sense, uint8_t first_beam)
{
    sense->first_beam = first_beam;
    sense->began_with = 0U;
    sense->ended_with = 0U;
    sense->was_between = false;
}

tg_passage tg_passage_see(tg_passage_sense *sense, uint64_t beams)
{
    const uint8_t pair = tg_doorway(beams, sense->first_beam);
    tg_passage passage = TG_NO_PASSAGE;

    if (pair == 0x3U) {
        sense->was_between = true;
    } else if (pair != 0U) {
        sense->ended_with = pair;
        if (sense->began_with == 0U) {
            sense->began_with = pair;
        }
    } else {
        if (sense->was_between && (sense->began_with != sense->ended_with)) {
            passage = (sense->ended_with == 0x2U) ? TG_FORWARD : TG_BACK;
        }
        tg_passage_begin(sense, sense->first_beam);
    }
    return passage;
}
