/* Source: learn.microsoft.com "Creating generalized images without a provisioning agent". */
#include "bootcfg/azure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/config.h"
#include "bootcfg/disks.h"
#include "bootcfg/meta.h"

static const char instance_path[] = "/metadata/instance?api-version=2021-08-01&format=json";
static const char wire_version[] = "x-ms-version: 2012-11-30\n";

/* The provisioning disk is there at the first boot, until it is ejected. */
static void read_disk(struct buf *xml, struct source *s)
{
	struct err e = { "" };
	struct disk d;
	int code = disk_by_label("rd_rdfe_*", &d, &e);

	if (code > 0) {
		autoclose int root = disk_mount(&d, &e);

		code = root < 0 ? root : disk_read(root, "ovf-env.xml", CONFIG_TEXT_MAX, xml, &e);
		disk_unmount();
	}
	if (code < 0)
		buf_addf(&s->notes, "the provisioning disk: %s\n", e.text);
}

static int report(struct ask *a, const char *incarnation, const char *container,
		  const char *instance, struct err *e)
{
	struct ask_words words = { .method = "POST", .path = "/machine?comp=health" };
	autobuf struct buf body = { 0 }, headers = { 0 }, answer = { 0 };
	int status;

	buf_addf(&body,
		 "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		 "<Health xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
		 " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\n"
		 "<GoalStateIncarnation>%s</GoalStateIncarnation>\n"
		 "<Container><ContainerId>%s</ContainerId><RoleInstanceList><Role>\n"
		 "<InstanceId>%s</InstanceId><Health><State>Ready</State></Health>\n"
		 "</Role></RoleInstanceList></Container>\n</Health>\n",
		 incarnation, container, instance);
	buf_addf(&headers, "%sx-ms-agent-name: berth\nContent-Type: text/xml;charset=utf-8\n",
		 wire_version);
	if (!buf_ok(&body) || !buf_ok(&headers))
		return err_set(e, -ENOMEM, "there is not enough memory");
	words.headers = headers.data;
	words.body = body.data;
	status = ask_send(a, &words, &answer, e);
	if (status < 0 || (status >= 200 && status < 300))
		return status < 0 ? status : 0;
	return err_set(e, -EIO, "the answer is %d", status);
}

static int report_ready(struct err *e)
{
	const struct ask_words words = { .method = "GET", .path = "/machine?comp=goalstate",
					 .headers = wire_version };
	struct ask a = { .base = "http://168.63.129.16", .answered = true };
	struct source names = { .kind = "azure" };
	autobuf struct buf goal = { 0 };
	char incarnation[32], container[64], instance[160];
	int code = ask_send(&a, &words, &goal, e);

	if (code >= 0)
		code = meta_convert(META_AZURE_GOAL, &goal, NULL, &names, e);
	if (code == 0 && sscanf(buf_text(&names.user_data), "%31s %63s %159s", incarnation, container,
				instance) != 3)
		code = err_set(e, -EBADMSG, "Azure's goal state is not as expected");
	if (code == 0)
		code = report(&a, incarnation, container, instance, e);
	source_free(&names);
	return code;
}

int azure_fetch(struct ask *a, struct source *s, struct err *e)
{
	autobuf struct buf json = { 0 }, xml = { 0 };
	struct err why = { "" };
	int code;

	read_disk(&xml, s);
	code = ask_need(a, instance_path, &json, e);
	if (code == 0)
		code = meta_convert(META_AZURE, &json, &xml, s, e);
	/* A machine that works is not given up for a report that does not arrive; it is said. */
	if (code == 0 && report_ready(&why) < 0)
		buf_addf(&s->notes, "Azure was not told that this machine is ready: %s\n", why.text);
	return code;
}
