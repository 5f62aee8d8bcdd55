#include "http/request_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace cc::http {
namespace {

constexpr std::size_t kLongest = 64;
constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), is_plain);
}

std::string_view known_method(std::string_view method) {
  const auto* const found = std::find(kMethods.begin(), kMethods.end(), method);
  return found == kMethods.end() ? "other" : *found;
}

RequestIds::RequestIds() : prefix_(fmt::format("{:08x}", std::random_device()())) {}

std::string RequestIds::next() { return fmt::format("{}-{}", prefix_, ++count_); }

}  // namespace cc::http
