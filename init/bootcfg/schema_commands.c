/* Commands at boot, and what is said and done at its end (cloud-init's modules bootcmd, runcmd,
 * final-message, phone-home, power-state-change). */
#include <string.h>

#include "base/cleanup.h"
#include "bootcfg/read.h"
#include "bootcfg/types.h"

static const struct type word = {
	SCALAR(read_text), .name = "text", .expected = "a text",
};

/* A text is for the shell as it is, a list is a program with its arguments. */
static yyjson_mut_val *read_shell_line(struct walk *w, const struct type *t, const struct node *n,
				       struct err *why)
{
	(void)t, (void)why;
	return walk_text(w, n->text, n->len);
}

static void finish_command(struct walk *w, const struct node *n, yyjson_mut_val *value)
{
	if (yyjson_mut_is_str(value))
		return;
	if (yyjson_mut_arr_size(value) == 0 || !yyjson_mut_get_len(yyjson_mut_arr_get_first(value)))
		walk_fault(w, FAULT_ERROR, n, "this command names no program");
}

static const struct type command = {
	.kind = TYPE_LIST, .name = "command", .item = &word, .read = read_shell_line,
	.finish = finish_command, .atomic = true,
	.expected = "a line for the shell, or a list of a program and its arguments",
};
const struct type type_commands = {
	.kind = TYPE_LIST, .name = "list of commands", .item = &command,
	.expected = "a list of commands",
};

/* ---- phone_home ---- */
static const struct type web_address = {
	SCALAR(read_text), .name = "address", .check = check_web_address,
	.expected = "an address such as \"https://example.org/$INSTANCE_ID\"",
};
static const char *const posted[] = { "pub_key_ed25519", "instance_id", "hostname", "fqdn",
				      "pub_key_rsa", "pub_key_ecdsa", "pub_key_dsa", NULL };
static const struct type posted_key = {
	SCALAR(read_text), .name = "what is sent", .words = posted,
	.expected = "\"pub_key_ed25519\", \"instance_id\", \"hostname\" or \"fqdn\"",
};
static const struct type posted_keys = {
	.kind = TYPE_LIST, .name = "list of what is sent", .item = &posted_key,
	.read = read_all_posted, .expected = "\"all\", or a list such as [instance_id, hostname]",
};
static const struct type tries = {
	SCALAR(read_int), .name = "integer", .min = 1, .max = 100,
	.expected = "a number of tries from 1 to 100",
};
static const struct key phone_keys[] = {
	{ .name = "url", .type = &web_address, .required = true,
	  .example = "\"https://example.org/booted/$INSTANCE_ID\"",
	  .help = "Where it is posted, as a form. $INSTANCE_ID is filled in." },
	{ .name = "post", .type = &posted_keys, .normal = "all", .example = "[instance_id, hostname]",
	  .help = "What is sent. Keys of kinds that this host does not have are sent empty." },
	{ .name = "tries", .type = &tries, .normal = "10", .example = "3",
	  .help = "How often it is tried, with growing pauses." },
};
const struct type type_phone_home = {
	OBJECT(phone_keys), .name = "call home", .atomic = true,
	.expected = "a mapping with \"url\"",
};

/* ---- power_state ---- */
static const char *const modes[] = { "poweroff", "reboot", "halt", NULL };
static const struct type mode = {
	SCALAR(read_text), .name = "power state", .words = modes,
	.expected = "\"poweroff\", \"reboot\" or \"halt\"",
};
static const struct type delay = {
	SCALAR(read_delay), .name = "minutes", .expected = "\"now\", or a number of minutes",
};
static const struct type seconds = {
	SCALAR(read_int), .name = "seconds", .min = 1, .max = 86400,
	.expected = "a number of seconds",
};
static const struct type condition = {
	.kind = TYPE_LIST, .name = "condition", .item = &word, .read = read_condition,
	.expected = "true, false, a line for the shell, or a list of a program and its arguments",
};
static const struct key power_keys[] = {
	{ .name = "mode", .type = &mode, .required = true, .example = "reboot",
	  .help = "What happens." },
	{ .name = "delay", .json = "delay_min", .type = &delay, .normal = "now", .example = "5",
	  .help = "Minutes after the boot is done." },
	{ .name = "message", .type = &word, .normal = "none", .example = "Bye",
	  .help = "What is said then." },
	{ .name = "timeout", .json = "timeout_s", .type = &seconds, .normal = "30", .example = "120",
	  .help = "How long cloud-init waits for its own end. Here nothing is left to wait for." },
	{ .name = "condition", .type = &condition, .normal = "true", .example = "test -e /var/once",
	  .help = "Whether it happens; of a command, exit code 0 says so." },
};
const struct type type_power_state = {
	OBJECT(power_keys), .name = "power state", .atomic = true,
	.expected = "a mapping with \"mode\"",
};
