// rooms: http
// Gives any Host, Origin, request id and known-clients file to their readers. What they take must be what a second,
// plain reading takes.
#include <cstdlib>
#include <string>

#include "http/browser_guard.h"
#include "http/known_clients.h"
#include "http/request_id.h"

namespace {

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto name = cc::http::host_name(text)) {
    check(!name->empty() && name->find_first_of(" \t\r\n/@?#") == std::string::npos);
    check(cc::http::host_name(*name) == name);
    check(text.size() >= name->size() && text.size() <= name->size() + 7);
  }
  if (cc::http::is_request_id(text)) {
    check(!text.empty() && text.size() <= 64 && text.find_first_of(" \"\\=\r\n") == std::string::npos);
  }
  if (const auto clients = cc::http::parse_known_clients(text)) {
    std::string again;
    for (const auto& client : *clients) {
      check(client.fingerprint.size() == 64 && !client.name.empty());
      again += client.name + " " + client.fingerprint + "\n";
    }
    const auto reread = cc::http::parse_known_clients(again);
    // A name that begins with '#' would be a note: such a line was one already.
    check(reread && reread->size() == clients->size());
  }
  static const auto guard = cc::http::browser_guard({.open = true, .hosts = {}, .origins = {}});
  cc::http::Request head;
  head.headers["host"] = text;
  if (!(*guard)(head) && !text.empty()) {
    const auto name = cc::http::host_name(text);
    check(name && (name->front() == '[' || name->find('.') == std::string::npos || name->ends_with(".localhost") ||
                   name->find_last_not_of("0123456789.") == std::string::npos));
  }
  return 0;
}
