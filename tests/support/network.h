/* SPDX-License-Identifier: MIT */
/* A network of the test's own (network_namespaces(7)): its loopback is up, and no other interface is there. */
#ifndef STOOK_TEST_NETWORK_H
#define STOOK_TEST_NETWORK_H

/* Leaves the machine's network. The test is skipped where the kernel does not allow that. Call it before any
   thread or server is started. */
void network_enter(void);

/* From now on connections to these addresses arrive at this machine: "0.0.0.0/0", "2001:db8::/32". An address in
   two of these is of the longer one. */
void network_hold(const char *range);
/* From now on connections to these addresses fail at once with EHOSTUNREACH. */
void network_lose(const char *range);
/* Gives the loopback interface an address: getifaddrs() shows it. */
void network_add(const char *address);

#endif
