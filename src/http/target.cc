#include "http/target.h"

namespace cc::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

enum class Part { path, query };

Result<std::string> percent_decoded(std::string_view text, Part part) {
  if (text.find('%') == std::string_view::npos && text.find('+') == std::string_view::npos) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && part == Part::query) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return fail(ErrorKind::malformed_request, "The request target has a broken percent escape.");
    }
    const char decoded = static_cast<char>(high * 16 + low);
    if (decoded == '\0' || (decoded == '/' && part == Part::path)) {
      return fail(ErrorKind::malformed_request, "The request target escapes a NUL or a slash.");
    }
    out += decoded;
    i += 2;
  }
  return out;
}

Result<TextMap> parse_query(std::string_view text) {
  TextMap out;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    CC_ASSIGN(std::string name, percent_decoded(pair.substr(0, equals), Part::query));
    CC_ASSIGN(
        std::string value,
        percent_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), Part::query));
    if (!out.emplace(std::move(name), std::move(value)).second) {
      return fail(ErrorKind::malformed_request, "The query names a parameter twice.");
    }
  }
  return out;
}

// Cuts "http://authority" off the absolute form.
std::string_view without_authority(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos || target.find_first_of("/?") < scheme) {
    return target;
  }
  const std::size_t end = target.find_first_of("/?", scheme + 3);
  return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  Target out;
  if (target == "*") {
    out.path = "*";
    return out;
  }
  if (target.find('#') != std::string_view::npos) {
    return fail(ErrorKind::malformed_request, "The request target has a fragment.");
  }
  target = without_authority(target);
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  if (!path.starts_with('/') && !(path.empty() && question == 0)) {
    return fail(ErrorKind::malformed_request, "The request target is not a path.");
  }
  CC_ASSIGN(out.path, percent_decoded(path.empty() ? "/" : path, Part::path));
  if (question != std::string_view::npos) {
    CC_ASSIGN(out.query, parse_query(target.substr(question + 1)));
  }
  return out;
}

}  // namespace cc::http
