/* The board as a process on a pseudo-terminal, in real time, with two doors that take half a second and an empty lane.
 *
 *     board_host [--watchdog-ms N]     prints the terminal's path on a line, then is a board until its input ends
 *     board_host --echo                the same terminal, but every byte comes back: the bare line to compare with
 *
 * Ends when standard input does, so that it never outlives who started it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tg_image.h"

#define SCAN_MS 10
#define OPEN_PERMILLE_A_MS 2
#define ALL_BEAMS 0x0FFFFFFFULL

static tg_board board;
static tg_image image;

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000) + (now.tv_nsec / 1000000);
}

static uint32_t entropy(void)
{
    uint32_t value = 0U;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, &value, sizeof(value)) != (ssize_t)sizeof(value)) {
            value = (uint32_t)now_ms();
        }
        (void)close(fd);
    }
    return value | 1U;
}

static int open_terminal(void)
{
    struct termios settings;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int slave;

    if ((master < 0) || (grantpt(master) != 0) || (unlockpt(master) != 0)) {
        return -1;
    }
    /* Kept open, so that the master is readable without error while nobody else has the terminal. */
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if ((slave < 0) || (tcgetattr(slave, &settings) != 0)) {
        return -1;
    }
    cfmakeraw(&settings);
    (void)tcsetattr(slave, TCSANOW, &settings);
    (void)printf("%s\n", ptsname(master));
    (void)fflush(stdout);
    return master;
}

static void move_leaf(tg_door_inputs *leaf, int8_t motor, bool is_lock_driven, int32_t dt_ms)
{
    int32_t position = leaf->position_permille;

    if ((motor > 0) && (!is_lock_driven)) {
        position += OPEN_PERMILLE_A_MS * dt_ms;
    } else if (motor < 0) {
        position -= OPEN_PERMILLE_A_MS * dt_ms;
    } else {
        /* it stands */
    }
    position = (position > 1000) ? 1000 : ((position < 0) ? 0 : position);
    leaf->position_permille = (uint16_t)position;
    leaf->is_locked = is_lock_driven;
}

static void flush_to(int fd)
{
    uint32_t done = 0U;
    while (done < image.output_count) {
        ssize_t written = write(fd, &image.output[done], image.output_count - done);
        if (written <= 0) {
            break; /* a UART that nobody reads loses what it sends */
        }
        done += (uint32_t)written;
    }
    image.output_count = 0U;
}

static void boot(uint16_t watchdog_ms)
{
    const tg_config config = {
        .board_id = 1U,
        .watchdog_ms = watchdog_ms,
        .entry_kind = TG_KIND_SLIDING,
        .exit_kind = TG_KIND_SLIDING,
        .beam_count = 28U,
        .first_inside_beam = 2U,
        .last_inside_beam = 25U,
        .beam_pitch_mm = 100U,
        .curtain_settle_ms = 20U,
        .lowest_supply_mv = 21600U,
        .highest_supply_mv = 26400U,
        .lowest_tenths_celsius = -200,
        .highest_tenths_celsius = 700,
    };

    image.entry.is_locked = true;
    image.exit.is_locked = true;
    image.supervision.supply_mv = 24000U;
    image.supervision.tenths_celsius = 312;
    image.supervision.is_memory_well = true;
    image.has_light = true;
    image.is_entry_lock_driven = true;
    image.is_exit_lock_driven = true;
    tg_board_begin(&board, &TG_IMAGE_HAL, &image, &config, entropy());
}

static void scan(int32_t dt_ms)
{
    move_leaf(&image.entry, image.entry_motor, image.is_entry_lock_driven, dt_ms);
    move_leaf(&image.exit, image.exit_motor, image.is_exit_lock_driven, dt_ms);
    image.beams = image.has_light ? 0U : ALL_BEAMS;
    image.next_token = entropy();
    tg_board_step(&board, (uint32_t)dt_ms);
}

/* Returns false when standard input has ended. */
static bool turn(int master, bool is_echo, int64_t *last_ms)
{
    struct pollfd watched[2] = {{.fd = master, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    uint8_t bytes[4096];
    int64_t left_ms = (*last_ms + SCAN_MS) - now_ms();

    (void)poll(watched, 2U, is_echo ? -1 : (int)((left_ms < 0) ? 0 : left_ms));
    if ((watched[0].revents & POLLIN) != 0) {
        ssize_t count = read(master, bytes, sizeof(bytes));
        if ((count > 0) && is_echo) {
            (void)!write(master, bytes, (size_t)count);
        } else if (count > 0) {
            image.next_token = image.next_token * 2654435761U + 1U;
            tg_board_receive(&board, bytes, (size_t)count);
            flush_to(master);
        } else {
            /* nothing there */
        }
    }
    if ((watched[1].revents & (POLLIN | POLLHUP)) != 0) {
        if (read(STDIN_FILENO, bytes, sizeof(bytes)) <= 0) {
            return false;
        }
    }
    if ((!is_echo) && ((now_ms() - *last_ms) >= SCAN_MS)) {
        const int64_t passed_ms = now_ms() - *last_ms;
        *last_ms += passed_ms;
        scan((int32_t)((passed_ms > 100) ? 100 : passed_ms));
        flush_to(master);
    }
    return true;
}

int main(int argc, char **argv)
{
    bool is_echo = false;
    long watchdog_ms = 1000;
    int master;
    int64_t last_ms;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--echo") == 0) {
            is_echo = true;
        } else if ((strcmp(argv[i], "--watchdog-ms") == 0) && ((i + 1) < argc)) {
            i++;
            watchdog_ms = strtol(argv[i], NULL, 10);
        } else {
            (void)fprintf(stderr, "usage: board_host [--echo] [--watchdog-ms N]\n");
            return 2;
        }
    }
    if ((watchdog_ms < 1) || (watchdog_ms > 65535)) {
        (void)fprintf(stderr, "board_host: a watchdog takes 1 to 65535 ms\n");
        return 2;
    }
    master = open_terminal();
    if (master < 0) {
        (void)fprintf(stderr, "board_host: no pseudo-terminal: %s\n", strerror(errno));
        return 2;
    }
    (void)fcntl(master, F_SETFL, O_NONBLOCK);
    boot((uint16_t)watchdog_ms);
    last_ms = now_ms();
    while (turn(master, is_echo, &last_ms)) {
        /* until standard input ends */
    }
    return 0;
}
