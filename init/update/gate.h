/* The gate: may the slot that is being tried be confirmed? A table of checks by name; all of them
 * must hold for a while without interruption. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "update/facts.h"

struct gate_input {
	const struct before *before; /* what was so when the update was installed */
	const struct settings *settings;
	bool version; /* a version is on trial: asked for all that was so before */
	bool config;  /* a configuration is: it may change links, but not cut the machine off */
	/* Filled by the checks: what must stay the same while they hold. A service or a container
	 * that was started anew begins the time anew. */
	uint64_t incarnation;
};

/* Is the network as it was? With `config` one link is as good as another; pure. */
int gate_network(const struct before *before, const struct before *now, bool config,
		 struct err *e);

struct gate_check {
	const char *name;
	/* 0: holds. -errno: not (yet), and why. */
	int (*run)(struct gate_input *in, struct err *e);
};

const struct gate_check *gate_checks(size_t *count);

enum { GATE_CHECKS_MAX = 8 };

/* One look at all checks. */
struct gate_look {
	bool ok[GATE_CHECKS_MAX];
	char why[GATE_CHECKS_MAX][REASON_MAX]; /* of those that do not hold */
	uint64_t incarnation;
};

/* True when all hold. */
bool gate_look(struct gate_input *in, struct gate_look *out);

enum gate_verdict { GATE_WAIT, GATE_PASS, GATE_FAIL };

/* The time that the checks have held; pure. */
struct gate {
	int64_t hold_ms, limit_ms;
	int64_t begun_ms, since_ms; /* since_ms < 0: they do not hold */
	uint64_t incarnation;
};

void gate_begin(struct gate *g, const struct settings *s, int64_t now_ms);

/* What a look at `now_ms` means. Fails when the time is over and they do not hold; what began to
 * hold in time may finish its hold. */
enum gate_verdict gate_step(struct gate *g, bool holds, uint64_t incarnation, int64_t now_ms);
