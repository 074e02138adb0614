/* What a person at the console of a running machine can do without a shell: look at it, restart it,
 * get it into rescue mode. Where root has a password (cloud-config's `chpasswd`), it is asked for
 * first, and a shell is offered too. */
#pragma once

#include <stdbool.h>

/* Shows the menu until the person has had enough. True: a root shell is wanted, and allowed. */
bool menu_run(void);

/* root's password hash in a text of /etc/shadow's or /etc/passwd's form (passwd(5), shadow(5)).
 * Returns false when there is none that a password could match. */
bool menu_root_hash(const char *text, char *out, int room);
