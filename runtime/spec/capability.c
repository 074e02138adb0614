#include "spec/capability.h"

#include <stddef.h>
#include <strings.h>

#include "base/cleanup.h"

static const char *const names[CAPABILITY_COUNT] = {
	"CAP_CHOWN",	      "CAP_DAC_OVERRIDE",   "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",	      "CAP_FSETID",	    "CAP_KILL",
	"CAP_SETGID",	      "CAP_SETUID",	    "CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",      "CAP_NET_RAW",	    "CAP_IPC_LOCK",
	"CAP_IPC_OWNER",      "CAP_SYS_MODULE",	    "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",     "CAP_SYS_PTRACE",	    "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",      "CAP_SYS_BOOT",	    "CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",   "CAP_SYS_TIME",	    "CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",	      "CAP_LEASE",	    "CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",  "CAP_SETFCAP",	    "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",      "CAP_SYSLOG",	    "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",  "CAP_AUDIT_READ",	    "CAP_PERFMON",
	"CAP_BPF",	      "CAP_CHECKPOINT_RESTORE",
};

/* Docker's default set (moby, oci/caps/defaults.go). */
static const char *const defaults[] = {
	"CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FSETID",  "CAP_FOWNER",
	"CAP_MKNOD",  "CAP_NET_RAW",	  "CAP_SETGID",	 "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP",	  "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL",	  "CAP_AUDIT_WRITE",
};

int capability_number(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (int i = 0; i < CAPABILITY_COUNT; i++)
		if (!strcasecmp(names[i] + 4, name))
			return i;
	return -1;
}

const char *capability_name(int number)
{
	return number >= 0 && number < CAPABILITY_COUNT ? names[number] : NULL;
}

uint64_t capability_default_set(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		set |= (uint64_t)1 << capability_number(defaults[i]);
	return set;
}
