#include "http/browser_guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace cc::http {
namespace {

constexpr std::size_t kLongestName = 253;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_character(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.'; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return out;
}

bool is_port(std::string_view text) {
  return text.empty() || (text.size() >= 2 && text.size() <= 6 && text.front() == ':' &&
                          std::all_of(text.begin() + 1, text.end(), is_digit));
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return name.front() == '[' || ::inet_pton(AF_INET, name.c_str(), ignored.data()) == 1;
}

// What no owner of a page can make mean this machine by way of DNS.
bool is_out_of_reach_of_dns(const std::string& name) {
  return is_address(name) || name.find('.') == std::string::npos || name.ends_with(".localhost");
}

bool listed(const std::vector<std::string>& list, const std::string& value) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& one) { return one == "*" || one == value; });
}

Response refused(std::string message) { return problem({ErrorKind::forbidden, std::move(message)}); }

std::optional<Response> judge_host(const BrowserRules& rules, const Request& head) {
  if (rules.hosts.empty() && (!rules.open || head.encrypted)) {
    return std::nullopt;
  }
  const std::string_view given = head.header("host");
  const std::optional<std::string> name = host_name(given);
  const bool good = rules.hosts.empty() ? given.empty() || (name && is_out_of_reach_of_dns(*name))
                                        : listed(rules.hosts, name.value_or(""));
  if (good) {
    return std::nullopt;
  }
  return refused("Host not authorized: list the name by which clients call this signer in http.host_allowlist.");
}

std::optional<Response> judge_origin(const BrowserRules& rules, const Request& head) {
  const std::string origin = lower_case(head.header("origin"));
  if (!origin.empty()) {
    const std::size_t scheme = origin.find("://");
    const bool own = scheme != std::string::npos && origin.substr(scheme + 3) == lower_case(head.header("host"));
    return own || listed(rules.origins, origin)
               ? std::nullopt
               : std::optional(refused("Web pages of other origins may not call this signer; a page that should is "
                                       "listed in http.origin_allowlist."));
  }
  const std::string_view site = head.header("sec-fetch-site");
  if ((site == "cross-site" || site == "same-site") && !listed(rules.origins, "*")) {
    return refused("Web pages of other sites may not call this signer.");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> host_name(std::string_view header) {
  std::string name;
  std::string_view port;
  if (header.starts_with('[')) {
    const std::size_t close = header.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    name = lower_case(header.substr(0, close + 1));
    port = header.substr(close + 1);
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    // inet_pton() reads up to a NUL.
    const bool strange = name.find_first_not_of("0123456789abcdef:.[]") != std::string::npos;
    if (strange || ::inet_pton(AF_INET6, name.substr(1, close - 1).c_str(), ignored.data()) != 1) {
      return std::nullopt;
    }
  } else {
    const std::size_t colon = header.find(':');
    name = lower_case(header.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : header.substr(colon);
    if (name.ends_with('.')) {
      name.pop_back();
    }
    const bool empty_part =
        name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != std::string::npos;
    if (empty_part || name.size() > kLongestName || !std::all_of(name.begin(), name.end(), is_name_character)) {
      return std::nullopt;
    }
  }
  return is_port(port) ? std::optional(std::move(name)) : std::nullopt;
}

std::shared_ptr<const Admission> browser_guard(BrowserRules rules) {
  for (std::vector<std::string>* list : {&rules.hosts, &rules.origins}) {
    std::transform(list->begin(), list->end(), list->begin(), [](const std::string& one) { return lower_case(one); });
  }
  return std::make_shared<const Admission>([rules = std::move(rules)](const Request& head) {
    std::optional<Response> refusal = judge_host(rules, head);
    return refusal ? std::move(refusal) : judge_origin(rules, head);
  });
}

}  // namespace cc::http
