#include "http/reply_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>

namespace cc::http {
namespace {

constexpr std::size_t kFixedHeadBytes = 384;

std::string safe_value(std::string_view value) {
  std::string out(value);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

bool names(const Response& response, std::string_view header) {
  return std::any_of(response.headers.begin(), response.headers.end(), [header](const auto& one) {
    return std::equal(one.first.begin(), one.first.end(), header.begin(), header.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  });
}

std::string_view reason(int status) {
  const auto text = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {text.data(), text.size()};
}

}  // namespace

std::string_view DateText::now() {
  const std::time_t second = std::time(nullptr);
  if (second != second_ || text_.empty()) {
    second_ = second;
    text_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(second));
  }
  return text_;
}

void write_reply(const Response& response, const ReplyFrame& frame, std::string_view date, std::string& out) {
  std::size_t size = kFixedHeadBytes + response.content_type.size() + response.body.size();
  for (const auto& [name, value] : response.headers) {
    size += name.size() + value.size() + 4;
  }
  out.clear();
  out.reserve(size);
  const bool has_content = response.status != 204 && response.status != 304;
  const auto line = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(value).append("\r\n");
  };
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ").append(reason(response.status));
  line("\r\nDate: ", date);
  line("Connection: ", frame.keep_alive ? "keep-alive" : "close");
  line("X-Request-Id: ", frame.request_id);
  if (has_content) {
    line("Content-Type: ", safe_value(response.content_type));
    line("Content-Length: ", std::to_string(response.body.size()));
  }
  line("X-Content-Type-Options: nosniff", {});
  if (!names(response, "cache-control")) {
    line("Cache-Control: no-store", {});
  }
  for (const auto& [name, value] : response.headers) {
    line(safe_value(name) + ": ", safe_value(value));
  }
  out += "\r\n";
  if (has_content && !frame.head_only) {
    out += response.body;
  }
}

}  // namespace cc::http
