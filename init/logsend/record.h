/* What the reader tells the sender, through a pipe: a header, then `len` bytes of text. */
#pragma once

#include <stdint.h>

enum record_kind {
	RECORD_KERNEL,    /* as /dev/kmsg gives it: "6,1,123,-;text" */
	RECORD_SERVICE,   /* "2026-11-24T20:15:00.123Z text" */
	RECORD_CONTAINER, /* {"log":"text\n","stream":"stdout","time":"..."} */
	RECORD_NAME,      /* a container's container.json, which has its name */
};

enum { RECORD_NAME_MAX = 80, RECORD_TEXT_MAX = 32 * 1024, CONTAINER_JSON_MAX = 256 * 1024 };

struct record {
	uint32_t kind, len;
	char name[RECORD_NAME_MAX]; /* of the service, or the container's id */
};
