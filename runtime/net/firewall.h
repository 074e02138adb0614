/* Applies rulesets through `nft -f -`, one at a time and each as one transaction: what is asked
 * for while nft runs goes out together afterwards, and a text that is applied already starts
 * nothing. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/loop.h"

struct firewall;

/* Called when nft has ended: 0, or -errno with nft's own words in `e`. */
typedef void firewall_fn(void *arg, int rc, const struct err *e);

int firewall_new(struct firewall **out, struct loop *l, const char *nft, firewall_fn *done,
		 void *arg, struct err *e);
void firewall_free(struct firewall *f);

/* `text` (owned by the firewall from now on) shall apply. True: it does already. False: `done`
 * will tell. */
bool firewall_set(struct firewall *f, char *text);
bool firewall_busy(const struct firewall *f);
