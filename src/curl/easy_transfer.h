/* SPDX-License-Identifier: MIT */
/*
 * The way of an easy handle from the start of its transfer to the end: into a multi handle of its
 * origin, and out of it when its owner gives it back.
 *
 * Removing a handle while its name is looked up would wait for getaddrinfo(), and the loop with it.
 * Such a handle is orphaned when its owner gives it back.
 */
#ifndef STOOK_CURL_EASY_TRANSFER_H
#define STOOK_CURL_EASY_TRANSFER_H

struct stook__easy;

/* Adds the handle to a multi handle of its origin. Returns as stook__easy_start does. */
int stook__easy_enter(struct stook__easy *easy);
/* The same for a handle that waited at the connect gate: an error completes its transfer. */
void stook__easy_launch(struct stook__easy *easy);
/* Takes a handle from its owner while its look-up runs. */
void stook__easy_orphan(struct stook__easy *easy);
/* Moves a handle whose transfer succeeded to the pool of its origin. */
void stook__easy_pool(struct stook__easy *easy);
/* Destroys a handle that is not pooled. Its look-up must not be running. */
void stook__easy_destroy(struct stook__easy *easy);

#endif
