/* The light curtain: people counted by pattern, passages by order of beams. Twin: simulator/curtain.py. */
#ifndef TG_CURTAIN_H
#define TG_CURTAIN_H

#include "tg_types.h"

typedef enum { TG_NO_PASSAGE = 0, TG_FORWARD, TG_BACK } tg_passage;

/* Two neighbouring beams, one on each side of a door: which was broken first and which last tells the way. */
typedef struct {
    uint8_t first_beam;
    uint8_t began_with;
    uint8_t ended_with;
    bool was_between;
} tg_passage_sense;

uint64_t tg_all_beams(uint8_t beam_count);

/* The two beams of the doorway whose first beam is `first_beam`. */
uint8_t tg_doorway(uint64_t beams, uint8_t first_beam);

/* People between the doors. A shut door cuts a shadow in two. */
uint8_t tg_count_people(const tg_config *config, uint64_t beams, bool is_entry_cut, bool is_exit_cut);

void tg_passage_begin(tg_passage_sense *sense, uint8_t first_beam);
tg_passage tg_passage_see(tg_passage_sense *sense, uint64_t beams);

#endif
