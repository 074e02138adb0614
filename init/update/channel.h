/* A channel: a small signed text on a web server that names its newest version. Beside it lie its
 * signature (NAME.minisig) and the bundle.
 *
 *   {"format": "berth-channel-1", "channel": "stable", "serial": 1795500000,
 *    "version": "0.1.1+a", "digest": "...", "bundle": "berth-0.1.1+a.bundle", "bytes": 11048576,
 *    "rollout": {"begin": 1795500000, "seconds": 86400}}
 *
 * `serial` grows with each text: an older one is a replay and is refused. `digest` is the
 * manifest's. `bundle` is relative to the text's own address. `rollout` is rollout.h's; there may
 * be none. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "download/fetch.h"
#include "update/manifest.h"
#include "update/rollout.h"
#include "update/signature.h"

enum { CHANNEL_BYTES_MAX = 16 * 1024 };

struct channel {
	char name[MANIFEST_TEXT_MAX]; /* letters, digits and dashes */
	char version[MANIFEST_TEXT_MAX];
	char digest[SHA256_HEX_MAX];
	char bundle[URL_BYTES_MAX];   /* the whole address */
	uint64_t serial, bytes;
	struct rollout rollout;
};

/* The signature is checked first. `url` is where the text came from. */
int channel_open_texts(const void *text, size_t len, const void *signature, size_t signature_len,
		       const struct keyring *keys, const char *url, struct channel *out,
		       struct err *e);

/* Not older than the last text of this channel that the store saw; then it is remembered. */
int channel_check_serial(int store, const struct channel *c, struct err *e);

/* Downloads both texts and does all of the above. `store` -1: nothing is remembered. */
int channel_fetch(const char *url, const struct fetch_way *way, const struct keyring *keys,
		  int store, struct channel *out, struct err *e);
