/* Which configurations this machine knows: the last good one, which passed its gate; one on trial;
 * those that failed, by the digest of their text, and are refused until the text changes or a
 * person says otherwise. All in one folder on the data partition:
 *
 *   last-good.json   as the parser understood it, with its "digest"
 *   candidate.json   the same, of the one on trial, if it has no error
 *   trial.json       {"digest", "tries", "passed"}
 *   refused.json     [{"digest", "reason", "beside"?}], the last TRIAL_REFUSED_MAX
 *
 * What is written, and in which order, is such that a power cut at any moment leaves a folder that
 * means either what it did before or what was wanted. */
#pragma once

#include "base/err.h"
#include "base/sha256.h"

#define TRIAL_FOLDER "/var/lib/berth/config"
#define TRIAL_LAST_GOOD "last-good.json"

enum { TRIAL_TRIES = 3, TRIAL_REFUSED_MAX = 16, TRIAL_REASON_MAX = 256 };

enum trial_state {
	TRIAL_GOOD,    /* it has passed before */
	TRIAL_FIRST,   /* on trial, and there is none to go back to */
	TRIAL_NEW,     /* on trial: this boot has taken one of its tries */
	TRIAL_REFUSED, /* `reason` says why */
};

/* A boot with the configuration whose text has this digest. `json`: as it was understood, to be the
 * last good one if it passes; NULL if it has errors, which only what is without becomes. */
enum trial_state trial_enter(int folder, const char *digest, const char *json,
			     char reason[TRIAL_REASON_MAX], struct err *e);

/* The one on trial passed: not tried again, and the last good one. Nothing on trial: no error. */
int trial_keep(int folder, struct err *e);

/* The one on trial failed. -ENOENT: none is, or there is no last good one to go back to. `beside`:
 * the version that was on trial in the same boot, or NULL. */
int trial_refuse(int folder, const char *reason, const char *beside, struct err *e);

/* The boot ended in order before anything was decided: it costs no try. */
int trial_give_back(int folder, struct err *e);

/* Lets in again what was refused, or only what was beside this version, which was at fault itself.
 * Returns how many were, or -errno. */
int trial_forget(int folder, const char *beside, struct err *e);
