/* SPDX-License-Identifier: MIT */
/*
 * Known-bad versions of libcurl are recognised. The version is faked: this program has its own
 * curl_version_info().
 */
#include <curl/curl.h>
#include <dlfcn.h>

#include <stook.h>

#include "curl/quirks/quirks.h"
#include "support/harness.h"

static unsigned fake_version;
static int fake_features;

curl_version_info_data *curl_version_info(CURLversion age)
{
    static curl_version_info_data data;
    curl_version_info_data *(*real)(CURLversion age);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_version_info");
    data = *real(age);
    if (fake_version != 0)
        data.version_num = fake_version;
    data.features &= ~fake_features;
    return &data;
}

TEST(rows)
{
    CHECK_EQ_INT(stook__quirks_of(0x075801),
                 STOOK__QUIRK_WEAK_HTTP_2 | STOOK__QUIRK_WAITS_WHEN_REFUSED | STOOK__QUIRK_OBS_FOLD_INTO_FREED);
    CHECK_EQ_INT(stook__quirks_of(0x075400), STOOK__QUIRK_UNFIT | STOOK__QUIRK_WEAK_HTTP_2 |
                                                STOOK__QUIRK_WAITS_WHEN_REFUSED | STOOK__QUIRK_OBS_FOLD_INTO_FREED);
    CHECK_EQ_INT(stook__quirks_of(0x080100), STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_WHEN_REFUSED);
    CHECK_EQ_INT(stook__quirks_of(0x080400), STOOK__QUIRK_DROPS_DNS_ENTRIES);
    CHECK_EQ_INT(stook__quirks_of(0x080900), STOOK__QUIRK_UNFIT | STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x080901), STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x080b00), STOOK__QUIRK_LOSES_TIMERS | STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x080b01), STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x081000), STOOK__QUIRK_LOSES_TIMERS | STOOK__QUIRK_DROPS_DNS_ENTRIES | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x081400), STOOK__QUIRK_WAKES_FOR_EVER | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x081500), STOOK__QUIRK_KEEPS_DIRECTORY | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
    CHECK_EQ_INT(stook__quirks_of(0x081600), STOOK__QUIRK_DROPS_LOOKUPS | STOOK__QUIRK_KEEPS_DIRECTORY | STOOK__QUIRK_WAITS_FOR_TLS_CLOSE);
}

static int try_client(void)
{
    stook_client *client = NULL;
    int error = stook_client_new(NULL, NULL, &client);
    if (error == 0)
        stook_client_close(client, NULL, NULL);
    return error;
}

TEST(unfit_is_refused)
{
    CHECK_ERROR(try_client(), 0);
    fake_version = 0x080900;
    CHECK_ERROR(try_client(), STOOK_EUNSUPPORTED);
    fake_version = 0x075400;
    CHECK_ERROR(try_client(), STOOK_EUNSUPPORTED);
    fake_version = 0;
    fake_features = CURL_VERSION_ASYNCHDNS;
    CHECK_ERROR(try_client(), STOOK_EUNSUPPORTED);
}

/* With a libcurl that needs asking, it is asked, and everything ends as it should. */
TEST(works_around)
{
    static const unsigned versions[] = {0x080a00, 0x081000, 0x081400, 0x081600};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        stook_client *client;
        stook_batch *batch;
        fake_version = versions[i];
        CHECK_ERROR(stook_client_new(NULL, NULL, &client), 0);
        CHECK_ERROR(stook_batch_new(client, &batch), 0);
        for (int k = 0; k < 5; k++)
            CHECK_ERROR(stook_batch_add(batch, &STOOK_REQUEST("http://127.0.0.1:1/", .attempt_timeout_ms = 5000)), 0);
        CHECK_EQ_INT(stook_gather(batch, NULL), 5);
        for (size_t k = 0; k < 5; k++)
            CHECK_ERROR(stook_result_error(stook_batch_result(batch, k)), STOOK_ECONNECT);
        stook_batch_free(batch);
        stook_client_close(client, NULL, NULL);
    }
}
