// SPDX-License-Identifier: MIT
// The same in C++, which has no compound literals.
#include <cstdio>
#include <cstring>

#include <stook.h>

int main()
{
    stook_client *client = nullptr;
    stook_batch *batch = nullptr;
    stook_client_options options;
    stook_client_options_init(&options, sizeof options);
    options.timeout_ms = 5000;
    if (stook_client_new(nullptr, &options, &client) != STOOK_OK ||
        stook_batch_new(client, &batch) != STOOK_OK)
        return 2;
    stook_request request;
    stook_request_init(&request, sizeof request);
    request.url = "no url at all";
    if (stook_batch_add(batch, &request) != STOOK_OK)
        return 2;
    stook_gather_options gather;
    stook_gather_options_init(&gather, sizeof gather);
    gather.limit = 10;
    const int failed = stook_gather_ordered(batch, &gather);
    const stook_result *result = stook_batch_result(batch, 0);
    const bool right = failed == 1 && stook_result_error(result) == STOOK_EURL;
    stook_batch_free(batch);
    stook_client_close(client, nullptr, nullptr);
    std::puts(right ? "consumer: all as promised" : "consumer: not as promised");
    return right ? 0 : 1;
}
