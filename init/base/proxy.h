/* Proxies of the host: environment variables http_proxy, https_proxy and no_proxy, which the boot
 * configuration leaves in /run/berth/proxy, a line NAME=VALUE each. */
#pragma once

/* Sets those that are not set yet. Called by a program that fetches something, before it gives up
 * its rights: an address may hold a password. */
void proxy_load(void);
