/* Does the way out of the machine lead anywhere: does a router of a default route answer? */
#pragma once

#include <stdbool.h>

/* Asks the routers and waits for an answer of one in each family, a second at most. */
void routers_ask(bool *ipv4, bool *ipv6);
