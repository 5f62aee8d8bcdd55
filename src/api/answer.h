// The frame around every endpoint of ours: who may call it, on which thread it runs, and how its error is answered.
//
// Threads: a handler made by direct() runs on the I/O thread and must not block; one made by queued() runs its work on
// a queue, after its check passed on the I/O thread, so that callers without leave never take a place in the queue.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "http/router.h"

namespace cc::api {

using Check = std::function<Result<void>(const http::Request&)>;
using Work = std::function<Result<http::Response>(http::Request&)>;

http::Handler direct(Check check, Work work);
// A full queue answers 429 with Retry-After.
http::Handler queued(CeremonyQueue& queue, Check check, Work work);

// For work that no token guards: which file or table a store's trouble is about goes to the log, not to the caller.
Work for_anyone(Work work);

// The caller of this scope. Errors: unauthorized, forbidden; both counted.
Result<access::Caller> caller_of(const Context& context, const http::Request& request, access::Scope scope);
Check needs(const Context& context, access::Scope scope);
// For endpoints that take a passphrase, a setup or a registration token. Errors: plaintext_refused.
Check takes_secrets(const Context& context);
Check both(Check first, Check second);
Check open_to_all();
// The same check as a question to the head of a request, for routes that take large bodies.
std::shared_ptr<const http::Admission> admits(Check check);

// problem+json with the headers its kind asks for: WWW-Authenticate, Retry-After.
http::Response refusal(const Error& error);
// The same headers for an answer in another ecosystem's shape.
void add_error_headers(http::Response& response, const Error& error);

// The token of `Authorization: Bearer TOKEN`.
std::optional<std::string_view> bearer(const http::Request& request);

}  // namespace cc::api
