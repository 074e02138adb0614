/* What PID 1 tells people: lines on every active console and in /run/berth/log/init.log.
 *
 *   [    0.412] mounts            ok          3 ms
 *
 * A console that does not take what is written (somebody pressed Ctrl-S, a slow serial line) never
 * holds PID 1 up: what it has not taken waits in a bounded buffer, beyond that lines are lost. */
#pragma once

#include <stdint.h>

#include "base/loop.h"

enum { SAY_CONSOLES_MAX = 8 };

/* Opens the consoles that /sys/class/tty/console/active names; without it /dev/console. Lines
 * said earlier appear now. Returns how many are open. */
int say_open_consoles(void);

/* The names ("tty1", "ttyS0"), for those who serve people there. tty0, which is whatever is in
 * front, is named tty1. NULL beyond the last. */
const char *say_console_name(int i);

/* From now on lines go to the log file under `dir` too, those said earlier included. */
void say_open_log(int dir);

/* From now on `l` writes what consoles did not take at once. */
void say_attach(struct loop *l);

/* "[time] WHO   TEXT" */
void say(const char *who, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "[time] WHO   OUTCOME   12 ms  NOTE"; the note may be "" */
void say_outcome(const char *who, const char *outcome, int64_t took_ms, const char *note);

/* Text as it is, on the consoles only. */
void say_plain(const char *text);

/* Gives consoles up to `ms` to take what waits; for the end. */
void say_drain(int64_t ms);

/* For the crash handler: async-signal-safe, straight to the consoles. */
void say_emergency(const char *text);
