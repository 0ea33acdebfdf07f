/* SPDX-License-Identifier: MIT */
/*
 * Ranges of addresses, and the decision on an address: what IANA lists as not globally reachable, IPv4 addresses
 * inside IPv6 ones, lists of a client.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "curl/address_filter.h"
#include "request/resolve.h"
#include "support/harness.h"

static struct stook__ip ip(const char *text)
{
    struct stook__cidr range;
    if (!stook__cidr_parse(text, &range) || range.bits != 128)
        FAIL("not an address: %s", text);
    return range.first;
}

static struct stook__cidrs ranges(struct stook__cidr room[8], const char *const *list)
{
    struct stook__pack pack = {(char *)room, 0};
    CHECK_EQ_INT(stook__addresses_validate(list), 0);
    return stook__addresses_pack(&pack, list);
}

/* ------------------------------------------------------------------------------- ranges */

TEST(ranges_are_read)
{
    static const char *const good[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},         {"0.0.0.0/0", "0.0.0.0/0"},     {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.1/32", "192.0.2.1/32"},     {"192.0.2.254/31", "192.0.2.254/31"},
        {"fc00::/7", "fc00::/7"},             {"::/0", "::/0"},               {"2001:DB8::1", "2001:db8::1/128"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"}, {"::ffff:0:0/96", "0.0.0.0/0"}, {"::/95", "::/95"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct stook__cidr range;
        char text[STOOK__CIDR_TEXT_MAX];
        test_note("%s", good[i][0]);
        CHECK(stook__cidr_parse(good[i][0], &range));
        stook__cidr_format(&range, text);
        CHECK_STR(text, good[i][1]);
    }
}

TEST(bad_ranges)
{
    static const char *const bad[] = {
        "", "/", "/8", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/08",
        "10.0.0.0/8/8", "10.1.0.0/8", "10.0.0.1/31", "10.0.0/8", "0x0a.0.0.0/8", "10.0.0.0/1e1", "10.0.0.0/+8",
        "::/129", "::/1000", "fe80::1%lo", "[::1]", "fc00::1/7", "example.com", "10.0.0.0/255.0.0.0", "1.2.3.4:80",
        "2001:db8:0000:0000:0000:0000:0000:00000000000000000000000000000001",
    };
    struct stook__cidr range = {.bits = 77};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        test_note("%s", bad[i]);
        CHECK(!stook__cidr_parse(bad[i], &range));
        CHECK_EQ_INT(range.bits, 77);
        CHECK_ERROR(stook__addresses_validate((const char *const[]){"10.0.0.0/8", bad[i], NULL}), STOOK_EARG);
    }
}

TEST(long_lists)
{
    static const char *list[1002];
    for (size_t i = 0; i < 1000; i++)
        list[i] = "192.0.2.0/24";
    CHECK_ERROR(stook__addresses_validate(list), 0);
    list[1000] = "192.0.2.0/24";
    CHECK_ERROR(stook__addresses_validate(list), STOOK_EARG);
    CHECK_ERROR(stook__addresses_validate(NULL), 0);
}

TEST(ranges_contain)
{
    static const struct {
        const char *range, *ip;
        int contains;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", 1}, {"10.0.0.0/8", "11.0.0.0", 0},        {"10.0.0.0/8", "9.255.255.255", 0},
        {"172.16.0.0/12", "172.31.0.1", 1},  {"172.16.0.0/12", "172.32.0.0", 0},   {"10.0.0.0/8", "::ffff:10.1.2.3", 1},
        {"10.0.0.0/8", "::10.1.2.3", 0},     {"0.0.0.0/0", "255.255.255.255", 1},  {"0.0.0.0/0", "2001:db8::1", 0},
        {"::/0", "2001:db8::1", 1},          {"::/0", "10.0.0.1", 0},              {"::/95", "10.0.0.1", 0},
        {"fc00::/7", "fdff::", 1},           {"fc00::/7", "fe00::", 0},            {"::1", "::1", 1},
        {"::1", "::2", 0},                   {"192.0.2.0/31", "192.0.2.1", 1},     {"192.0.2.0/31", "192.0.2.2", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stook__cidr range;
        struct stook__ip address = ip(rows[i].ip);
        test_note("%s in %s", rows[i].ip, rows[i].range);
        CHECK(stook__cidr_parse(rows[i].range, &range));
        CHECK_EQ_INT(stook__cidr_contains(&range, &address), rows[i].contains);
    }
}

TEST(socket_addresses)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a090909)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct stook__ip found, expected = ip("10.9.9.9");
    CHECK(stook__ip_from_sockaddr((struct sockaddr *)&in, &found));
    CHECK(memcmp(&found, &expected, sizeof found) == 0);
    inet_pton(AF_INET6, "::ffff:10.9.9.9", &in6.sin6_addr);
    CHECK(stook__ip_from_sockaddr((struct sockaddr *)&in6, &found));
    CHECK(memcmp(&found, &expected, sizeof found) == 0);
    CHECK(!stook__ip_from_sockaddr(&other, &found));
}

/* ------------------------------------------------------------------------------ decisions */

static struct stook__address_finding judge(const struct stook__address_rules *rules, int public_only,
                                           const char *text)
{
    static const struct stook__address_rules none;
    static const struct stook__cidrs nothing;
    struct stook__address_finding finding;
    struct stook__ip address = ip(text);
    stook__address_judge(rules != NULL ? rules : &none, public_only, &nothing, &address, &finding);
    return finding;
}

/* What IANA's registries say, the first and the last address of each range, and their neighbours. */
TEST(public_and_not)
{
    static const char *const not_public[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
        "127.0.0.0", "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254",
        "169.254.170.2", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255",
        "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0",
        "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0",
        "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255",
        "::", "::1", "::2", "::ffff", "100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::", "100:0:0:1:ffff::",
        "200::1", "400::1", "1000::1", "1fff:ffff::", "2001::", "2001:0:ffff::", "2001:1::", "2001:1::1", "2001:1::3",
        "2001:2::", "2001:2:0:ffff::", "2001:4:111::", "2001:4:113::", "2001:10::", "2001:1f:ffff::", "2001:40::",
        "2001:1ff:ffff::", "2001:db8::", "2001:db8:ffff::", "2002::", "2002:ffff::", "3fff::", "3fff:fff:ffff::",
        "4000::", "5f00::", "5f00:ffff::", "8000::1", "fc00::", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::",
        "fe00::1", "fe80::", "fe80::1", "febf:ffff::", "fec0::", "feff:ffff::", "ff00::", "ff02::1", "ffff:ffff::",
        "64:ff9b:1::", "64:ff9b:1:ffff::", "64:ff9b:2::1", "64:ff9a::1",
    };
    static const char *const good[] = {
        "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.196.1", "192.52.193.1", "192.88.98.255",
        "192.88.100.0", "192.167.255.255", "192.169.0.0", "192.175.48.1", "198.17.255.255", "198.20.0.0",
        "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
        "2000::1", "2001:3::1", "2001:4:112::1", "2001:20::1", "2001:2f:ffff::", "2001:30::1", "2001:3f:ffff::",
        "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::6810:84e5",
        "2620:4f:8000::1", "3ffe:ffff::", "3fff:1000::",
    };
    for (size_t i = 0; i < sizeof not_public / sizeof not_public[0]; i++) {
        struct stook__address_finding finding = judge(NULL, 1, not_public[i]);
        test_note("%s", not_public[i]);
        CHECK_EQ_INT(finding.decision, STOOK__ADDRESS_NOT_PUBLIC);
        CHECK(finding.use != NULL);
        CHECK_EQ_INT(judge(NULL, 0, not_public[i]).decision, STOOK__ADDRESS_PASSES);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        test_note("%s", good[i]);
        CHECK_EQ_INT(judge(NULL, 1, good[i]).decision, STOOK__ADDRESS_PASSES);
    }
}

/* The IPv4 address that an IPv6 address leads to is judged, and named. */
TEST(unwrapped)
{
    static const struct {
        const char *ip, *judged, *range;
    } rows[] = {
        {"::ffff:10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"::ffff:a9fe:a9fe", "169.254.169.254", "169.254.0.0/16"},
        {"::10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"::7f00:1", "127.0.0.1", "127.0.0.0/8"},
        {"::8.8.8.8", "::8.8.8.8", "::/96"},
        {"::1", "::1", "::1/128"},
        {"::", "::", "::/128"},
        {"::ffff:0:10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"::ffff:0:8.8.8.8", "::ffff:0:808:808", "::ffff:0:0:0/96"},
        {"64:ff9b::10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"64:ff9b::7f00:1", "127.0.0.1", "127.0.0.0/8"},
        {"64:ff9b::", "0.0.0.0", "0.0.0.0/8"},
        {"64:ff9b::1", "0.0.0.1", "0.0.0.0/8"},
        {"64:ff9b:0:0:0:1:808:808", "64:ff9b::1:808:808", "::/0"},
        {"64:ff9b:1::10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"64:ff9b:1:a09:9:900::", "10.9.9.9", "10.0.0.0/8"},
        {"64:ff9b:1:50a:9:909::", "10.9.9.9", "10.0.0.0/8"},
        {"64:ff9b:1:505:a:909:900:0", "10.9.9.9", "10.0.0.0/8"},
        {"64:ff9b:1::8.8.8.8", "64:ff9b:1::808:808", "64:ff9b:1::/48"},
        {"2002:a09:909::1", "10.9.9.9", "10.0.0.0/8"},
        {"2002:a9fe:a9fe::", "169.254.169.254", "169.254.0.0/16"},
        {"2002:808:808::1", "2002:808:808::1", "2002::/16"},
        {"2001::f5f6:f6f6", "10.9.9.9", "10.0.0.0/8"},
        {"2001:0:1:2:3:4:80ff:fffe", "127.0.0.1", "127.0.0.0/8"},
        {"2001::f7f7:f7f7", "2001::f7f7:f7f7", "2001::/32"},
        {"2606:4700::5efe:10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"2606:4700::200:5efe:10.9.9.9", "10.9.9.9", "10.0.0.0/8"},
        {"2606:4700::5efe:0.0.0.0", "0.0.0.0", "0.0.0.0/8"},
        {"fe80::5efe:8.8.8.8", "fe80::5efe:808:808", "fe80::/10"},
    };
    static const char *const good[] = {"64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2606:4700::5efe:8.8.8.8",
                                       "2606:4700::5eff:a09:909", "2606:4700::100:5efe:a09:909"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stook__address_finding finding = judge(NULL, 1, rows[i].ip);
        char text[STOOK__CIDR_TEXT_MAX];
        test_note("%s", rows[i].ip);
        CHECK_EQ_INT(finding.decision, STOOK__ADDRESS_NOT_PUBLIC);
        stook__ip_format(&finding.judged, text);
        CHECK_STR(text, rows[i].judged);
        stook__cidr_format(&finding.range, text);
        CHECK_STR(text, rows[i].range);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        test_note("%s", good[i]);
        CHECK_EQ_INT(judge(NULL, 1, good[i]).decision, STOOK__ADDRESS_PASSES);
    }
}

TEST(lists)
{
    struct stook__cidr room[2][8];
    const struct stook__address_rules rules = {
        .allow = ranges(room[0], (const char *const[]){"10.1.0.0/16", "fd12::/16", "2002::/16", "::1", NULL}),
        .deny = ranges(room[1], (const char *const[]){"10.1.2.0/24", "8.8.8.8", "2606:4700::/32", NULL}),
    };
    static const struct {
        const char *ip;
        int public_only;
        enum stook__address_decision decision;
    } rows[] = {
        {"10.1.0.1", 1, STOOK__ADDRESS_PASSES},
        {"10.2.0.1", 1, STOOK__ADDRESS_NOT_PUBLIC},
        {"10.1.2.3", 1, STOOK__ADDRESS_DENIED}, /* deny takes precedence */
        {"10.1.2.3", 0, STOOK__ADDRESS_DENIED}, /* and needs no public_only */
        {"10.2.0.1", 0, STOOK__ADDRESS_PASSES},
        {"8.8.8.8", 1, STOOK__ADDRESS_DENIED},
        {"8.8.4.4", 1, STOOK__ADDRESS_PASSES},
        {"::ffff:8.8.8.8", 0, STOOK__ADDRESS_DENIED},
        {"64:ff9b::8.8.8.8", 0, STOOK__ADDRESS_DENIED}, /* it leads there */
        {"2002:808:808::", 0, STOOK__ADDRESS_DENIED},
        {"::8.8.8.8", 1, STOOK__ADDRESS_DENIED},
        {"2606:4700::1", 0, STOOK__ADDRESS_DENIED},
        {"fd12::1", 1, STOOK__ADDRESS_PASSES},
        {"fd13::1", 1, STOOK__ADDRESS_NOT_PUBLIC},
        {"::1", 1, STOOK__ADDRESS_PASSES},
        {"::ffff:10.1.0.1", 1, STOOK__ADDRESS_PASSES},
        {"64:ff9b::10.1.0.1", 1, STOOK__ADDRESS_PASSES},
        {"::10.1.0.1", 1, STOOK__ADDRESS_NOT_PUBLIC}, /* both must pass */
        {"2002:a01:1::", 1, STOOK__ADDRESS_PASSES},
        {"2002:a02:1::", 1, STOOK__ADDRESS_NOT_PUBLIC},
        {"2002:808:404::", 1, STOOK__ADDRESS_PASSES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        test_note("%s, public_only %d", rows[i].ip, rows[i].public_only);
        CHECK_EQ_INT(judge(&rules, rows[i].public_only, rows[i].ip).decision, rows[i].decision);
    }
}

/* An address of this machine that is public by its number. */
TEST(own_addresses)
{
    struct stook__cidr room[8];
    const struct stook__cidrs own = ranges(room, (const char *const[]){"8.8.4.4", "2606:4700::1", "10.0.0.1", NULL});
    static const struct {
        const char *ip;
        enum stook__address_decision decision;
    } rows[] = {
        {"8.8.4.4", STOOK__ADDRESS_OWN},           {"8.8.4.5", STOOK__ADDRESS_PASSES},
        {"::ffff:8.8.4.4", STOOK__ADDRESS_OWN},    {"64:ff9b::8.8.4.4", STOOK__ADDRESS_OWN},
        {"2606:4700::1", STOOK__ADDRESS_OWN},      {"2606:4700::2", STOOK__ADDRESS_PASSES},
        {"10.0.0.1", STOOK__ADDRESS_NOT_PUBLIC},
    };
    static const struct stook__address_rules none;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stook__address_finding finding;
        struct stook__ip address = ip(rows[i].ip);
        test_note("%s", rows[i].ip);
        stook__address_judge(&none, 1, &own, &address, &finding);
        CHECK_EQ_INT(finding.decision, rows[i].decision);
        stook__address_judge(&none, 0, &own, &address, &finding);
        CHECK_EQ_INT(finding.decision, STOOK__ADDRESS_PASSES);
    }
}
