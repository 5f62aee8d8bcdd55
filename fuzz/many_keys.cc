// rooms: api
// Any bytes as a body with many sign requests: items or a refusal, never a crash. Where another parser takes the body
// as JSON and the keys are plain texts, it sees the same items.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/many_keys_input.h"

namespace {

namespace json = boost::json;
using cc::api::ManyKeysBody;
using cc::api::ManyKeysForm;

constexpr std::size_t kMost = 50;

void must(bool held) {
  if (!held) {
    std::abort();
  }
}

void check(const ManyKeysBody& read, std::string_view body) {
  std::size_t entries = 0;
  for (const auto& item : read.items) {
    must(!item.keys.empty() && item.request.size() >= 2 && item.request.front() == '{');
    must(item.request.data() >= body.data() && item.request.data() + item.request.size() <= body.data() + body.size());
    entries += item.keys.size();
  }
  must(entries == read.entries && entries > 0 && entries <= kMost);
}

void compare(const ManyKeysBody& read, const json::value& document) {
  const json::array items = document.is_array() ? document.get_array() : json::array{document};
  must(items.size() == read.items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const json::object& item = items[i].as_object();
    json::error_code error;
    const json::value request = json::parse(read.items[i].request, error);
    must(!error && request == item.at("request"));
    const json::value* list = item.if_contains("pubkeys");
    const json::array keys = list != nullptr ? list->as_array() : json::array{item.at("pubkey")};
    must(keys.size() == read.items[i].keys.size());
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const std::string_view mine = read.items[i].keys[k];
      must(mine.find('\\') != std::string_view::npos || std::string_view(keys[k].as_string()) == mine);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto read = cc::api::read_many_keys(body, ManyKeysForm::lines, kMost)) {
    check(*read, body);
  }
  const auto read = cc::api::read_many_keys(body, ManyKeysForm::json, kMost);
  if (!read) {
    must(read.error().kind == cc::ErrorKind::malformed_request && !read.error().message.empty());
    return 0;
  }
  check(*read, body);
  json::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  const json::value document = json::parse(body, error, {}, options);
  if (!error) {
    compare(*read, document);
  }
  return 0;
}
