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
/* Connections of this network begin at these ports only. */
void network_ports(int first, int last);

/* By ip(8) and nft(8). Where one of them is not there, the test is skipped. */

/* Another network, the far one, at the other end of a cable: here is 192.0.2.1, there 192.0.2.2. */
void network_pair(void);
/* What is opened and started meanwhile is in the far network. */
void network_go_far(void);
void network_come_back(void);
/* Plugs the cable in at the far end, or pulls it out. */
void network_plug(int in);
/* Whatever arrives in this network is subject to these rules, statements of nft separated by ";". "": none. */
void network_rules(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Of the loopback interface; all that is sent through it is cut into packets of that size. */
void network_mtu(int bytes);

#endif
