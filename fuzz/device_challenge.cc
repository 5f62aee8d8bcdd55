// rooms: api
// What a hardware key is asked, as it is stored and as it travels: what is accepted re-encodes to itself.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <string_view>

#include "api/device_json.h"

namespace {

void must(bool held) {
  if (!held) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cc::ByteView bytes(data, size);
  for (const char* kind : {cc::seal::kYubikeyKind, cc::seal::kFido2Kind}) {
    if (const auto device = cc::seal::decode_device(kind, bytes)) {
      must(std::ranges::equal(cc::seal::encode_device(*device), bytes));
      must(cc::seal::device_kind(*device) == kind);
    }
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto challenges = cc::api::challenges_from_json(text)) {
    const std::string again = boost::json::serialize(cc::api::challenges_to_json(*challenges));
    must(cc::api::challenges_from_json(again).value() == *challenges);
  }
  const cc::SecretBytes hex = cc::SecretBytes::copy_of(bytes);
  if (const auto answer = cc::api::answer_from_hex(hex)) {
    must(cc::api::answer_to_hex(*answer) == hex);
  }
  return 0;
}
