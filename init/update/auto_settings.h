/* What the configuration says of automatic updates: "berth.update" (bootcfg/schema_update.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "update/auto.h"
#include "update/fleetlock.h"
#include "update/rollout.h"
#include "update/window.h"

struct auto_settings {
	enum auto_level level;
	int64_t interval_ms;
	int wariness_ppm;      /* or ROLLOUT_OWN */
	bool time_servers;     /* the clock counts when one of them has set it */
	struct windows windows;
	struct fleetlock lock; /* url empty: none */
};

/* From /run/berth/config.json; without one: off. */
void auto_settings_read(struct auto_settings *out);
void auto_settings_parse(const char *json, size_t len, struct auto_settings *out);
