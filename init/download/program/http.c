#include "download/program/http.h"

#include <poll.h>
#include <string.h>

#include "base/cleanup.h"

enum { CONNECT_S = 30, SLOW_BYTES = 64, SLOW_S = 30, PAUSE_MS = 250, DOUBLINGS = 5 };

static bool set_limits(CURL *c, const struct http_options *o)
{
	return curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)o->seconds) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S) == CURLE_OK;
}

static bool set_options(CURL *c, const struct http_options *o, char *why)
{
	const char *protocols = strncmp(o->url, "https:", 6) ? "http,https" : "https";

	return curl_easy_setopt(c, CURLOPT_URL, o->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       /* What began protected stays protected. */
	       curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, o->redirects ? 1L : 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)o->redirects) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "berth/" BERTH_VERSION) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why) == CURLE_OK &&
	       (!o->ca || curl_easy_setopt(c, CURLOPT_CAINFO, o->ca) == CURLE_OK);
}

CURL *http_new(const struct http_options *o, char *why)
{
	CURL *c = curl_global_init(CURL_GLOBAL_DEFAULT) ? NULL : curl_easy_init();

	if (c && set_options(c, o, why) && set_limits(c, o))
		return c;
	curl_easy_cleanup(c);
	return NULL;
}

long http_status(CURL *curl)
{
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

bool http_may_pass(CURL *curl, CURLcode code)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,         CURLE_OPERATION_TIMEDOUT,    CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,           CURLE_RECV_ERROR,            CURLE_SSL_CONNECT_ERROR,
	};

	if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR)
		return http_status(curl) >= 500 || http_status(curl) == 429;
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

void http_pause(unsigned failures)
{
	poll(NULL, 0, PAUSE_MS << (failures < DOUBLINGS ? failures : DOUBLINGS));
}
