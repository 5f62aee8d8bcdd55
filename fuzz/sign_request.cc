// rooms: ethereum
// Any bytes as a sign request: an answer or a refusal with a path, never a crash; an accepted body is accepted again
// with its own root named, and refused with another.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "ethereum/sign_request.h"

namespace {

using cc::ErrorKind;
using cc::ethereum::Network;
using cc::ethereum::parse_sign_request;

void must(bool held) {
  if (!held) {
    std::abort();
  }
}

// `body` with a root of our choice as its first property.
std::string with_root(std::string_view body, std::string_view spelling, const cc::Root& root) {
  std::string out(body);
  const std::size_t open = out.find('{');
  return out.insert(open + 1, "\"" + std::string(spelling) + "\":\"" + cc::to_0x(root) + "\",");
}

void check(std::string_view body, const Network& network) {
  const auto parsed = parse_sign_request(body, network);
  if (!parsed) {
    must(!parsed.error().message.empty());
    must(parsed.error().kind == ErrorKind::malformed_request ||
         parsed.error().kind == ErrorKind::signing_root_mismatch);
    return;
  }
  // A body that names its root already would name it twice.
  for (const std::string_view spelling : {"signingRoot", "signing_root"}) {
    const auto again = parse_sign_request(with_root(body, spelling, parsed->signing_root), network);
    if (again) {
      must(again->signing_root == parsed->signing_root && again->type == parsed->type);
    }
    cc::Root other = parsed->signing_root;
    other[0] ^= 1;
    const auto refused = parse_sign_request(with_root(body, spelling, other), network);
    // An exit under an early fork may be asked for under two roots; nothing else may.
    must(!refused || parsed->type == "VOLUNTARY_EXIT");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Network mainnet = cc::ethereum::public_network("mainnet").value();
  static const Network minimal = cc::ethereum::public_network("minimal").value();
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check(body, mainnet);
  check(body, minimal);
  return 0;
}
