/* How automatic updates stand: a file that the service writes and `berth update status` shows. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "update/auto.h"

#define AUTO_REPORT_PATH "/run/berth/update-auto.json"

struct auto_report {
	const char *level, *channel;
	int64_t interval_ms;
	int64_t checked_s;     /* 0: the channel was not asked since this boot */
	const char *answer;    /* what came of it */
	int64_t next_check_s;
	const char *version;   /* what the channel has; empty: not known */
	const char *state;     /* auto_why_name, or what is being done: "installing" */
	const char *text;      /* the same as a sentence without its end */
	int64_t until_s;       /* when that ends; 0: not known */
	int64_t turn_s;        /* of this machine in the roll-out; 0: there is none */
	const char *failure;   /* of what was tried last; empty: none */
	const char *lock_url, *lock_group, *lock_id; /* url empty: there is none */
	enum auto_lock lock;
};

void auto_report_json(const struct auto_report *r, struct buf *out);

/* For people. `json` NULL or damaged: automatic updates are off. */
void auto_report_print(const char *json, size_t len, int64_t now_s, FILE *to);
