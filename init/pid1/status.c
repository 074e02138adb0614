#include "pid1/status.h"

#include <stdio.h>
#include <string.h>

#include "pid1/cmdline.h"

enum { FAULTY_FAILURES = 3 }; /* in a row: it is not coming back by itself soon */

bool status_service_at_fault(const struct status_service *s)
{
	if (s->console)
		return false;
	return s->state == SVC_FAILED || (s->state == SVC_STARTING && s->late) ||
	       s->failures >= FAULTY_FAILURES;
}

/* A system that came over the network keeps nothing, and is meant to. */
static bool data_is_lost(const struct status *s)
{
	return s->var_in_memory && strcmp(s->slot, CMDLINE_SLOT_MEMORY) != 0;
}

static bool is_degraded(const struct status *s)
{
	if (data_is_lost(s) || steps_degraded(s->steps))
		return true;
	for (size_t i = 0; i < s->service_count; i++)
		if (status_service_at_fault(&s->services[i]))
			return true;
	return false;
}

const char *status_state(const struct status *s)
{
	if (*s->state)
		return s->state;
	return is_degraded(s) ? "degraded" : "running";
}

void status_describe_exit(int last_exit, char *out, size_t room)
{
	if (last_exit < -1)
		snprintf(out, room, "could not be started: %s", strerror(-last_exit));
	else if (last_exit == -1)
		snprintf(out, room, "has not ended yet");
	else if (last_exit > 128)
		snprintf(out, room, "was killed by signal %d", last_exit - 128);
	else
		snprintf(out, room, "ended with exit code %d", last_exit);
}

static void add_string(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	buf_add_json_string(out, value, strlen(value));
}

static void add_step(struct buf *out, const struct step_result *r)
{
	buf_addc(out, '{');
	add_string(out, "name", r->name);
	buf_addf(out, ",\"state\":\"%s\",\"start_ms\":%lld,\"took_ms\":%lld,",
		 step_state_name(r->state), (long long)r->start_ms, (long long)r->took_ms);
	add_string(out, r->state == STEP_FAILED ? "error" : "note", r->text);
	buf_addc(out, '}');
}

static void add_service(struct buf *out, const struct status_service *s)
{
	buf_addc(out, '{');
	add_string(out, "name", s->name);
	buf_addf(out, ",\"state\":\"%s\",\"pid\":%d,\"restarts\":%u,\"since_ms\":%lld,",
		 svc_state_name(s->state), (int)s->pid, s->restarts, (long long)s->since_ms);
	if (s->took_ms >= 0)
		buf_addf(out, "\"took_ms\":%lld,", (long long)s->took_ms);
	else
		buf_adds(out, "\"took_ms\":null,");
	if (s->last_exit == -1)
		buf_adds(out, "\"last_exit\":null}");
	else
		buf_addf(out, "\"last_exit\":%d}", s->last_exit);
}

static void describe_fault(const struct status_service *v, char *out, size_t room)
{
	char how[96];

	status_describe_exit(v->last_exit, how, sizeof(how));
	if (v->state == SVC_FAILED)
		snprintf(out, room, "service %s has failed: it %s", v->name, how);
	else if (v->failures)
		snprintf(out, room, "service %s keeps ending: it %s", v->name, how);
	else
		snprintf(out, room, "service %s is late: it is not ready yet", v->name);
}

static void fault_sentences(const struct status *s,
			    void (*each)(struct buf *out, const char *sentence), struct buf *out)
{
	char line[320];

	if (*s->rescue) {
		snprintf(line, sizeof(line), "rescue mode: %s", s->rescue);
		each(out, line);
	}
	if (data_is_lost(s))
		each(out, "/var is in memory: nothing that is written to it survives a reboot");
	for (size_t i = 0; i < s->steps->count; i++) {
		const struct step_result *r = &s->steps->results[i];

		if (r->state != STEP_FAILED || r->on_failure == STEP_IGNORE)
			continue;
		snprintf(line, sizeof(line), "boot step %s failed: %s", r->name, r->text);
		each(out, line);
	}
	for (size_t i = 0; i < s->service_count; i++) {
		const struct status_service *v = &s->services[i];

		if (!status_service_at_fault(v))
			continue;
		describe_fault(v, line, sizeof(line));
		each(out, line);
	}
}

static void add_fault_json(struct buf *out, const char *sentence)
{
	/* The first one follows the bracket itself. */
	if (out->data[out->len - 1] != '[')
		buf_addc(out, ',');
	buf_add_json_string(out, sentence, strlen(sentence));
}

static void add_fault_line(struct buf *out, const char *sentence)
{
	buf_addf(out, "fault %s\n", sentence);
}

void status_json(const struct status *s, struct buf *out)
{
	buf_addc(out, '{');
	add_string(out, "version", s->version);
	buf_addc(out, ',');
	add_string(out, "slot", s->slot);
	buf_addf(out, ",\"uptime_ms\":%lld,", (long long)s->uptime_ms);
	add_string(out, "state", status_state(s));
	buf_addf(out, ",\"var_in_memory\":%s,\"faults\":[", s->var_in_memory ? "true" : "false");
	if (!buf_ok(out))
		return;
	fault_sentences(s, add_fault_json, out);
	buf_adds(out, "],\"steps\":[");
	for (size_t i = 0; i < s->steps->count; i++) {
		buf_adds(out, i ? "," : "");
		add_step(out, &s->steps->results[i]);
	}
	buf_adds(out, "],\"services\":[");
	for (size_t i = 0; i < s->service_count; i++) {
		buf_adds(out, i ? "," : "");
		add_service(out, &s->services[i]);
	}
	buf_adds(out, "]}\n");
}

void status_summary(const struct status *s, struct buf *out)
{
	buf_addf(out, "version %s\nslot %s\nstate %s\n", s->version, *s->slot ? s->slot : "-",
		 status_state(s));
	fault_sentences(s, add_fault_line, out);
}
