/* The other end of the conversation in image/talk.h: starts fetch and hears what it says. */
#pragma once

#include "base/err.h"
#include "base/spawn.h"
#include "image/talk.h"

struct fetcher {
	struct child child;
	int sock;
	char text[TALK_MAX]; /* the last message, and what came with it */
	int fd;
	int status;          /* HTTP's, of "error" */
};

/* `argv` ends with NULL. Our standard input is its. 0 or -errno. */
int fetcher_start(struct fetcher *f, const char *const *argv, struct err *e);

/* The next message: 1, 0 at the end of a fetch that did all it should, or -errno with what it said
 * as the sentence. */
int fetcher_hear(struct fetcher *f, struct err *e);
void fetcher_end(struct fetcher *f);

/* If the message is "WORD ...": what follows the word. Else NULL. */
const char *fetcher_said(const struct fetcher *f, const char *word);

/* All of the document that came with the message, at most `max` bytes; to be freed. */
int fetcher_document(struct fetcher *f, size_t max, char **text, size_t *len, struct err *e);
