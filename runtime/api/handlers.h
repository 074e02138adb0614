/* The handlers, one per row of the table in server.c. */
#pragma once

#include "api/route.h"

route_fn handle_ping, handle_version, handle_info, handle_events;
route_fn handle_containers, handle_container, handle_logs, handle_top;
route_fn handle_start, handle_stop, handle_restart, handle_kill, handle_wait, handle_remove;
route_fn handle_archive_stat, handle_archive_get, handle_archive_put, handle_export;
route_fn handle_df, handle_build_prune;
route_fn handle_changes, handle_commit, handle_import;
route_fn handle_images_get, handle_image_get, handle_images_load;
route_fn handle_create, handle_attach, handle_resize;
route_fn handle_exec_create, handle_exec_start, handle_exec_resize, handle_exec;
route_fn handle_update, handle_prune, handle_stats;
route_fn handle_pause, handle_unpause, handle_rename;
route_fn handle_images, handle_image, handle_history, handle_image_create;
route_fn handle_search, handle_auth;
route_fn handle_volumes, handle_volume, handle_volume_create, handle_volume_remove;
route_fn handle_volumes_prune;
route_fn handle_image_push, handle_image_tag, handle_image_remove, handle_images_prune;
route_fn handle_networks, handle_network, handle_network_create, handle_network_remove;
route_fn handle_network_connect, handle_network_disconnect, handle_networks_prune;
