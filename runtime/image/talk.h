/* The conversation between fetch, which speaks with registries and holds nothing, and the program
 * that started it: one datagram per message, a line of text, at most one open file with it.
 *
 *   pull:  fetch -> "manifest MEDIA-TYPE" fd, "config" fd
 *          store -> "get DIGEST BYTES" fd, for each layer that is missing; "all"
 *          fetch -> "at DIGEST BYTES", "again DIGEST SENTENCE", "done DIGEST"
 *   push:  store -> "from REPOSITORY", where layers may be mounted from; "put DIGEST BYTES" fd, or
 *                   without one when the archive is not there; "manifest MEDIA-TYPE" fd
 *          fetch -> "at DIGEST BYTES", "there DIGEST", "mounted DIGEST REPOSITORY", "done DIGEST";
 *                   at last "pushed"
 *   search, login:  fetch -> "results" or "granted" fd
 *   all:   fetch -> "error STATUS SENTENCE", STATUS as in HTTP; the end is the end of the process
 * The receiver trusts none of it: fetch may have been taken over by whoever it spoke with. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { TALK_MAX = 2048, TALK_FD = 3 };

/* `fd` -1: none goes along. 0 or -errno. */
int talk_send(int sock, int fd, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* One message, NUL-terminated; `fd` (owned by the caller) is -1 without one. Its length, 0 at the
 * end of the conversation, or -errno. */
ssize_t talk_receive(int sock, char text[TALK_MAX], int *fd);

/* A memfd with these bytes, at its start, sealed against changes. An fd or -errno. */
int talk_document(const char *name, const void *data, size_t len);
