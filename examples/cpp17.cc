/* SPDX-License-Identifier: MIT */
/*
 * stook from C++17: unique_ptr closes and frees, lambdas without captures are the callbacks, and a
 * vector collects the results. No exception may leave a callback, because it would pass through C.
 * Usage: cpp17 URL...
 */
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stook.h>

struct client_closer {
    void operator()(stook_client *client) const
    {
        stook_client_close(client, nullptr, nullptr);
    }
};

struct batch_freer {
    void operator()(stook_batch *batch) const
    {
        stook_batch_free(batch);
    }
};

using client_ptr = std::unique_ptr<stook_client, client_closer>;
using batch_ptr = std::unique_ptr<stook_batch, batch_freer>;

static client_ptr make_client()
{
    stook_client *client = nullptr;
    stook_client_options options;
    stook_client_options_init(&options, sizeof options);
    options.timeout_ms = 30000;
    stook_client_new(nullptr, &options, &client);
    return client_ptr(client);
}

static batch_ptr make_batch(const client_ptr &client, const std::vector<std::string> &urls)
{
    stook_batch *batch = nullptr;
    stook_batch_new(client.get(), &batch);
    for (const std::string &url : urls) {
        stook_request request;
        stook_request_init(&request, sizeof request);
        request.url = url.c_str();
        stook_batch_add(batch, &request); /* a failure comes back from the await */
    }
    return batch_ptr(batch);
}

static std::string_view body_of(const stook_result *result)
{
    size_t size = 0;
    const void *body = stook_result_body(result, &size);
    return {static_cast<const char *>(body), size};
}

int main(int argc, char **argv)
{
    const std::vector<std::string> urls(argv + 1, argv + argc);
    std::vector<size_t> seen;  /* in the order of delivery */
    seen.reserve(urls.size()); /* so that push_back cannot throw */
    client_ptr client = make_client();
    batch_ptr batch = make_batch(client, urls); /* declared later: freed before the client closes */

    stook_gather_options options;
    stook_gather_options_init(&options, sizeof options);
    options.limit = 10;
    options.user = &seen;
    options.on_result = [](stook_batch *, const stook_result *result, void *user) {
        const std::string_view body = body_of(result);
        std::printf("%s %.*s\n", stook_result_message(result), static_cast<int>(body.size()), body.data());
        static_cast<std::vector<size_t> *>(user)->push_back(stook_result_index(result));
    };
    const int failed = stook_gather_ordered(batch.get(), &options);

    return failed == 0 && seen.size() == urls.size() && std::is_sorted(seen.begin(), seen.end()) ? 0 : 1;
}
