/* auto: PID 1's service of automatic updates. Looks how everything is, asks auto.h what is to be
 * done next, does it, and says so in a report. Fetching and installing are this program's own
 * verbs, in processes of their own, so that what stays in memory is small. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "update/auto_report.h"
#include "update/auto_service.h"
#include "update/store.h"
#include "update/trust.h"

enum {
	FIRST_CHECK_MS = 5 * 60 * 1000, /* machines that are switched on together ask one by one */
	LOOK_AGAIN_MS = 60 * 1000,
};

/* ---- how everything is ---- */

/* BusyBox's ntpd lets the kernel follow a server (STA_PLL) as soon as it trusts one. The kernel's
 * own word for it, STA_UNSYNC, comes back a second later, because ntpd names no largest error. */
static bool clock_is_set(const struct service *s)
{
	struct timex t = { 0 };

	return !s->autos.time_servers || (adjtimex(&t) >= 0 && (t.status & STA_PLL));
}

static enum auto_offer see_offer(const struct service *s, const struct machine *m)
{
	enum slot other = slot_other(m->slots.running);
	struct refusals refused = { 0 };
	struct slot_record r = { 0 };

	if (!s->offered)
		return OFFER_NONE;
	if (command_is_running(m, s->version, &s->offer))
		return OFFER_RUNNING;
	if (m->store >= 0) {
		store_read_refusals(m->store, &refused);
		store_read_slot(m->store, other, &r, NULL);
	}
	if (refusals_find(&refused, s->offer.digest))
		return OFFER_REFUSED;
	if (m->state.prefer == other && m->state.slot[other].tries &&
	    (!strcmp(r.digest, s->offer.digest) || !strcmp(s->installed, s->offer.digest)))
		return OFFER_INSTALLED;
	return m->store >= 0 && auto_is_fetched(s, m->store) ? OFFER_FETCHED : OFFER_NEW;
}

static enum auto_lock see_lock(const struct service *s, int store)
{
	struct fleetlock lock;
	bool there, old = auto_old_lock(s, store, &lock, &there);

	/* Each boot begins with giving back: whatever was lost on this side, no lock stays. */
	if (!there)
		return *s->autos.lock.url && !s->lock_greeted ? LOCK_STALE : LOCK_NONE;
	if (old || s->lock_useless || strcmp(lock.boot, s->boot_id) != 0)
		return LOCK_STALE;
	return s->lock_granted ? LOCK_HELD : LOCK_ASKED;
}

static void see_windows(struct service *s, struct auto_view *v)
{
	struct window_look look = { 0 };
	struct err e = { "" };

	v->has_windows = s->autos.windows.count > 0;
	if (windows_look(&s->autos.windows, v->now_s, &look, &e) < 0)
		auto_failed(s, ACT_WAIT, s->autos.interval_ms, &e); /* closed, then */
	v->window_open = look.open;
	v->window_s = look.until_s;
}

static void see_reboot(struct service *s, struct auto_view *v)
{
	v->rebooting = s->reboot_ms && v->now_ms - s->reboot_ms < REBOOT_LIMIT_MS;
	if (s->reboot_ms && !v->rebooting) {
		log_warn("the reboot did not happen");
		s->reboot_ms = 0;
		s->lock_useless = true;
	}
}

static void look(struct service *s, const struct machine *m, struct auto_view *v)
{
	enum slot running = m->slots.running, other = slot_other(running);

	*v = (struct auto_view){
		.level = s->autos.level, .now_ms = clock_boot_ms(), .now_s = clock_wall_ns() / 1000000000,
		.clock_set = clock_is_set(s), .on_trial = !m->state.slot[running].good,
		.unsettled = m->state.prefer == other && !m->state.slot[other].good &&
			     !m->state.slot[other].tries,
		.offer = see_offer(s, m), .lock_wanted = *s->autos.lock.url != '\0',
		.check_ms = s->next_ms[ACT_CHECK], .try_ms = s->next_ms[ACT_INSTALL],
		.lock_ms = s->next_ms[ACT_LOCK], .release_ms = s->next_ms[ACT_RELEASE],
	};
	if (s->offered)
		v->turn_s = rollout_turn(&s->offer.rollout, s->machine_id, s->offer.version,
					 s->autos.wariness_ppm);
	see_windows(s, v);
	see_reboot(s, v);
	v->lock = see_lock(s, m->store);
}

/* ---- what is told ---- */

/* What failed, that there is this reason to wait. Asking the channel in between changes nothing. */
static enum auto_act act_behind(const struct service *s, const struct auto_plan *p)
{
	switch (p->act == ACT_CHECK ? s->said : p->why) {
	case WHY_RETRY: return ACT_INSTALL;
	case WHY_LOCK: return ACT_LOCK;
	case WHY_RELEASE: return ACT_RELEASE;
	default: return ACT_WAIT;
	}
}

static void write_report(const struct service *s, const struct auto_view *v,
			 const struct auto_plan *p)
{
	const struct auto_report r = {
		.level = auto_level_name(s->autos.level), .channel = s->settings.channel,
		.interval_ms = s->autos.interval_ms, .checked_s = s->checked_s, .answer = s->answer,
		.next_check_s = v->now_s + (v->check_ms - v->now_ms) / 1000,
		.version = s->offered ? s->offer.version : "",
		.state = p->act == ACT_WAIT ? auto_why_name(p->why) : auto_act_name(p->act),
		.text = p->act == ACT_WAIT ? auto_why_text(p->why) : auto_act_text(p->act),
		.until_s = p->until_s, .turn_s = v->turn_s, .failure = s->failure[act_behind(s, p)],
		.lock_url = s->autos.lock.url, .lock_group = s->autos.lock.group, .lock_id = s->lock_id,
		.lock = v->lock,
	};
	autobuf struct buf out = { 0 };
	struct err e = { "" };

	auto_report_json(&r, &out);
	if (file_replace_at(AT_FDCWD, AUTO_REPORT_PATH, buf_text(&out), out.len, 0644, &e) < 0)
		log_warn("%s", e.text);
}

/* A line for each new reason to wait; the report has the times. */
static void say(struct service *s, const struct auto_plan *p)
{
	const char *version = s->offered ? s->offer.version : "";

	if (p->act != ACT_WAIT || (p->why == s->said && !strcmp(version, s->said_of)))
		return;
	s->said = p->why;
	snprintf(s->said_of, sizeof(s->said_of), "%s", version);
	log_info("%s%s%s", version, *version ? ": " : "", auto_why_text(p->why));
}

/* ---- the loop ---- */

static void read_line(const char *path, char *out, size_t room)
{
	autobuf struct buf text = { 0 };

	file_read_at(AT_FDCWD, path, room, &text, NULL);
	snprintf(out, room, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
}

static int begin(struct service *s, struct err *e)
{
	automachine struct machine m = { .store = -1 };
	struct trust self;
	int64_t most_ms = auto_at_most(FIRST_CHECK_MS, s->autos.interval_ms);
	int rc = machine_open(&m, e);

	if (!rc)
		rc = trust_of_this_machine(&self, e);
	if (rc < 0)
		return rc;
	memcpy(s->version, self.running, sizeof(s->version));
	read_line("/etc/machine-id", s->machine_id, sizeof(s->machine_id));
	read_line("/proc/sys/kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	fleetlock_id(s->machine_id, s->lock_id);
	s->next_ms[ACT_CHECK] = clock_boot_ms() + (int64_t)(auto_random() % (uint64_t)most_ms);
	s->said = WHY_COUNT;
	return 0;
}

/* A state that cannot be read now: the gate tells about it; here it is only looked at again. */
static void wait_for_state(struct service *s, const struct err *e)
{
	auto_failed(s, ACT_WAIT, s->autos.interval_ms, e);
	poll(NULL, 0, LOOK_AGAIN_MS);
}

/* One look and what comes of it. False: there is nothing to do by itself. */
static bool step(struct service *s)
{
	automachine struct machine m = { .store = -1 };
	struct auto_view v;
	struct auto_plan p;
	struct err e = { "" };

	facts_settings(&s->settings);
	auto_settings_read(&s->autos);
	if (machine_open(&m, &e) < 0) {
		wait_for_state(s, &e);
		return true;
	}
	look(s, &m, &v);
	p = auto_decide(&v);
	if (p.act == ACT_END)
		return false;
	write_report(s, &v, &p);
	say(s, &p);
	if (p.act == ACT_WAIT)
		poll(NULL, 0, (int)(p.wake_ms - v.now_ms));
	else
		auto_do(s, p.act, m.store);
	return true;
}

int command_auto(int argc, char **argv)
{
	struct service s = { 0 };
	struct err e = { "" };

	if (!command_words(argc, argv, 0, 0))
		return EXIT_USAGE;
	auto_settings_read(&s.autos);
	if (s.autos.level == AUTO_OFF && access(STORE_PATH "/" FLEETLOCK_FILE, F_OK) < 0)
		return EXIT_OK;
	if (begin(&s, &e) < 0) {
		log_info("no slots to update: %s", e.text);
		return EXIT_OK;
	}
	while (step(&s))
		;
	unlink(AUTO_REPORT_PATH);
	return EXIT_OK;
}
