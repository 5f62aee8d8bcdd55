#include "http/known_clients.h"

#include <algorithm>

namespace cc::http {
namespace {

constexpr std::size_t kMostClients = 10'000;
constexpr std::size_t kFingerprintDigits = 64;
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// 64 hexadecimal digits, or nothing. Colons may stand between bytes only.
std::string fingerprint_of(std::string_view text) {
  const bool colons = text.find(':') != std::string_view::npos;
  if (text.size() != (colons ? kFingerprintDigits / 2 * 3 - 1 : kFingerprintDigits)) {
    return {};
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (colons && i % 3 == 2) {
      if (c != ':') {
        return {};
      }
      continue;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      out.push_back(c);
    } else if (c >= 'A' && c <= 'F') {
      out.push_back(static_cast<char>(c | 0x20));
    } else {
      return {};
    }
  }
  return out;
}

}  // namespace

Result<std::vector<KnownClient>> parse_known_clients(std::string_view text) {
  std::vector<KnownClient> out;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::size_t gap = line.find_last_of(" \t");
    const std::string_view name = gap == std::string_view::npos ? std::string_view() : trimmed(line.substr(0, gap));
    std::string fingerprint = gap == std::string_view::npos ? std::string() : fingerprint_of(line.substr(gap + 1));
    if (name.empty() || fingerprint.empty()) {
      return fail(ErrorKind::config_invalid,
                  "line " + std::to_string(number) +
                      " must be a common name, a space and the SHA-256 fingerprint of the certificate (64 hexadecimal "
                      "digits, colons allowed)");
    }
    if (out.size() == kMostClients) {
      return fail(ErrorKind::config_invalid, "there are more than " + std::to_string(kMostClients) + " clients");
    }
    out.push_back({std::string(name), std::move(fingerprint)});
  }
  return out;
}

}  // namespace cc::http
