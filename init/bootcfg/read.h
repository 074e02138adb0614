/* Readers of single values, and checks of texts: what the tables in schema_*.c are made of.
 * read_* are read_fn, check_* are check_fn (see schema.h). */
#pragma once

#include "bootcfg/walk.h"

/* ---- read_scalar.c ---- */
read_fn read_text;      /* with check, words, dollars */
read_fn read_bool;      /* true false yes no on off */
read_fn read_int;       /* min..max */
read_fn read_bytes;     /* "64m" */
read_fn read_bytes_or_unlimited; /* and -1 */
read_fn read_duration;  /* "1m30s", in milliseconds */
read_fn read_cpus;      /* "0.5", in billionths of a processor */
read_fn read_octal;     /* "0644" */

/* Numbers as above for other readers. 0 or -EINVAL, -ERANGE. */
int parse_int(const char *text, int64_t min, int64_t max, int64_t *out);
int parse_bytes(const char *text, int64_t *out);

/* What is left of a text after Compose's dollars: "$$" is "$", anything else with a dollar is a
 * variable, of which there are none. Returns a string of the caller, or NULL with `why`. */
char *text_without_dollars(const char *text, struct err *why);

/* ---- read_container.c: Compose's short forms ---- */
read_fn read_ports;        /* "127.0.0.1:8000-8010:80-90/tcp" */
read_fn read_volume;       /* "name:/path:ro" */
read_fn read_tmpfs;        /* "/run:size=64m,mode=1777" */
read_fn read_command;      /* split as a shell splits */
read_fn read_ulimit;       /* 1024: soft and hard */
read_fn read_device;       /* "/dev/a:/dev/b:rwm" */
read_fn read_restart;      /* "on-failure:3" */
read_fn read_pairs;        /* a list of "KEY=VALUE" */
read_fn read_exposed;      /* "80-81/udp": a list of "80/udp" */
read_fn read_extra_host;   /* "name:address", "name=address" */

/* ---- checks.c ---- */
check_fn check_hostname, check_host_or_address, check_address, check_container_name;
check_fn check_image, check_absolute_path, check_env_name, check_no_blank, check_capability;
check_fn check_signal, check_sysctl, check_cpuset, check_user, check_not_empty, check_ssh_key;
check_fn check_owner, check_ulimit_name, check_label_name, check_web_address, check_time_zone;
check_fn check_user_name, check_one_line, check_passwd_path, check_password_hash; /* read_host.c */
check_fn check_certificate, check_private_key, check_registry, check_no_proxy, check_schedule;
check_fn check_device, check_dev_path, check_fs_label, check_swap_path; /* read_disks.c */

/* ---- read_host.c: cloud-init's values ---- */
read_fn read_comma_list;     /* "a, b": names */
read_fn read_comma_groups;   /* the same, as groups without users */
read_fn read_group;          /* one group without users */
read_fn read_password_pair;  /* "USER:HASH" */
read_fn read_password_lines; /* lines of them */
read_fn read_false, read_true; /* the one alone */
read_fn read_all_posted;     /* "all" of phone_home */
read_fn read_delay;          /* "now", or minutes */
read_fn read_condition;      /* true, false, or a line for the shell: as a command */
read_fn read_manage_hosts;   /* true, false, "localhost" */
read_fn read_zram;           /* "256m": bytes, "50%": a text */

/* ---- read_log.c ---- */
read_fn read_log_server;     /* {protocol, address, port} of "udp://192.0.2.1:514" */

/* ---- read_disks.c ---- */
read_fn read_layout;         /* percentages of a disk */
read_fn read_partition;
read_fn read_mount_defaults;
read_fn read_swap_size;
finish_fn finish_mount;

/* ---- read_host_key.c ---- */
read_fn read_host_key;       /* {dropbear_base64, public} of an OpenSSH private key */
