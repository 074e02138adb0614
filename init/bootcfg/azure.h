/* Azure: metadata service, provisioning disk, and the report that the machine is ready, without
 * which the provider takes the provisioning for failed after a while. */
#pragma once

#include "bootcfg/ask.h"
#include "bootcfg/source.h"

int azure_fetch(struct ask *a, struct source *s, struct err *e);
