/* One error object. A function that can fail returns 0 or -errno; where a person will read
 * the reason it also takes a `struct err *` (which may be NULL) and the leaf that knows writes
 * one sentence into it. Callers add context at most once per layer, in front. */
#pragma once

enum { ERR_TEXT_MAX = 512 };

struct err {
	char text[ERR_TEXT_MAX]; /* empty: no error; always NUL-terminated */
};

/* Writes the sentence and returns `code`, a negative errno. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set with -errno, and ": No such file ..." appended. Returns -errno; -EIO where there is
 * none, as after a write that was cut short: never 0, which would say that all is well. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As err_sys for a call that returned a negative errno itself. Returns `code`. */
int err_code(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of the sentence that is there. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
