/* SPDX-License-Identifier: MIT */
/* When an ordered batch holds as many bytes as it may, bodies wait, all but the head's. */
#ifndef STOOK_CORE_FLOW_H
#define STOOK_CORE_FLOW_H

#include "core/client.h"

/* An attempt has begun. */
void stook__flow_begin(stook_client *client, struct stook_result *record);
/* What is held, or the head, may have changed. */
void stook__flow_resume_bodies(stook_client *client, stook_batch *batch);
/* Some have begun to wait in this turn. */
void stook__flow_settle(stook_client *client);

#endif
