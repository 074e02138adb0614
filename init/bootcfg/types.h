/* Types that several tables use, and the tables' own types that one table takes from another. */
#pragma once

#include "bootcfg/schema.h"

/* The rest of a row of struct type: its table of keys; its reader. */
#define OBJECT(table) .kind = TYPE_OBJECT, .keys = table, .key_count = ARRAY_LEN(table)
#define SCALAR(reader) .kind = TYPE_SCALAR, .read = reader

/* ---- schema_types.c ---- */

extern const struct type type_text, type_bool, type_duration, type_bytes, type_bytes_unlimited;
extern const struct type type_texts, type_path, type_hostname, type_address_list;
extern const struct type type_certificates;

/* ---- of the top level ---- */
extern const struct type type_ssh_keys, type_files; /* schema_files.c */
extern const struct type type_ntp, type_manage_hosts, type_timezone; /* schema_host.c */
extern const struct type type_ca_certs;
extern const struct type type_users, type_groups, type_chpasswd; /* schema_users.c */
extern const struct type type_host_keys, type_ssh;
extern const struct type type_commands, type_phone_home, type_power_state; /* schema_commands.c */
extern const struct type type_disk_setup, type_device_aliases, type_fs_setup; /* schema_disks.c */
extern const struct type type_mounts, type_mount_defaults, type_swap, type_growpart;
extern const struct type type_containers;           /* schema_compose.c */
extern const struct type type_volume_names, type_configs;

/* What Compose says at its top level goes into the containers; what they ask of each other. */
void compose_finish(struct walk *w, const struct node *root_node, yyjson_mut_val *root);
extern const struct type type_berth;                /* schema_berth.c */
extern const struct type type_firewall;             /* schema_firewall.c */
extern const struct type type_networks;
extern const struct type type_api;                  /* schema_api.c */
extern const struct type type_update;               /* schema_update.c */

/* ---- of a container ---- */
extern const struct type type_ports, type_volumes, type_tmpfs_list; /* schema_mounts.c */
extern const struct type type_config_uses;
extern const struct type type_devices, type_ulimits, type_blkio;    /* schema_limits.c */
extern const struct type type_deploy, type_pids, type_cpus;
extern const struct type type_healthcheck; /* schema_health.c */
extern const struct type type_pid, type_ipc, type_uts, type_cgroup; /* schema_namespaces.c */
