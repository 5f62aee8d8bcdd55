// GET /api/v1/audit/head and /api/v1/audit/proof: what operators' tools remember of the audit log, and that one head
// grew out of another. Hashes only, no entry.
#include <boost/json.hpp>
#include <charconv>

#include "api/answer.h"
#include "api/families.h"
#include "audit/journal.h"
#include "base/bytes.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostHashes = 20'000;

json::object head_json(const audit::Journal::Facts& facts) {
  json::object out{{"log", to_hex(facts.log)},
                   {"number", facts.durable.number},
                   {"head", to_hex(facts.durable.value)},
                   {"checkpoint_key", facts.key ? json::value(to_hex(*facts.key)) : json::value(nullptr)}};
  if (facts.trouble) {
    out["trouble"] = facts.trouble->message;
  }
  return out;
}

// Whoever names the head of an entry has seen it: nobody guesses 256 bits. The start of the log, which everybody knows,
// is for callers with the scope.
Result<http::Response> proof(const Context& context, http::Request& request) {
  const auto named = request.query.find("from");
  if (named == request.query.end()) {
    return fail(ErrorKind::malformed_request, "name the head you remember: ?from=NUMBER:HEX");
  }
  const auto from = audit::parse_head(named->second);
  if (!from) {
    return fail(ErrorKind::malformed_request, from.error().message);
  }
  if (from->number == 0) {
    CC_TRY(caller_of(context, request, access::Scope::chamber_status));
  }
  CC_ASSIGN(const std::vector<crypto::Digest> hashes, context.journal->hashes_after(*from, kMostHashes));
  json::array list;
  list.reserve(hashes.size());
  for (const crypto::Digest& hash : hashes) {
    list.emplace_back(to_hex(hash));
  }
  return http::json(200, json::serialize(json::object{{"from", from->number}, {"hashes", std::move(list)}}));
}

}  // namespace

void add_audit_routes(http::Router& router, Context& context) {
  if (context.journal == nullptr) {
    return;
  }
  router.add(
      "GET", "/api/v1/audit/head",
      direct(needs(context, access::Scope::chamber_status), [&context](http::Request&) -> Result<http::Response> {
        return http::json(200, json::serialize(head_json(context.journal->facts())));
      }));
  router.add("GET", "/api/v1/audit/proof",
             queued(context.ceremonies, open_to_all(),
                    for_anyone([&context](http::Request& request) { return proof(context, request); })));
}

}  // namespace cc::api
