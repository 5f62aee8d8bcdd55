#include "app/signer_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "app/audit_memory.h"
#include "base/printable.h"

namespace cc::app {
namespace {

namespace json = boost::json;

// Generating or importing many keys takes its time on the signer's side.
constexpr std::string_view kKeysPath = "/api/v1/chamber/keys";
constexpr Milliseconds kKeysTimeout{600'000};
// A signer that hangs must not keep the others of a ceremony from their turn for long. Twice what a signer gives itself
// (server.reply_timeout_seconds).
constexpr Milliseconds kTimeout{60'000};

struct SignerUrl {
  bool encrypted = false;
  std::string host;  // without brackets
};

// scheme://host[:port][/path] and nothing else: no user, no query, no fragment.
std::optional<SignerUrl> parse_url(std::string_view url) {
  SignerUrl out;
  if (url.starts_with("https://")) {
    out.encrypted = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  if (url.find_first_of("@?#\\ \t\r\n") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view authority = url.substr(0, url.find('/'));
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    out.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const auto colon = authority.find(':');
    out.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon);
  }
  const bool digits = port.find_first_not_of("0123456789", 1) == std::string_view::npos;
  const bool port_good = port.empty() || (port.front() == ':' && port.size() > 1 && port.size() <= 6 && digits);
  return out.host.empty() || !port_good ? std::nullopt : std::optional<SignerUrl>(std::move(out));
}

bool is_loopback(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
    return (ntohl(four.s_addr) >> 24) == 127;
  }
  return host == "localhost" || (::inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->as_string()) : std::string();
}

// For an answer without one of our codes (a proxy in between, another program on that port).
ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
      return ErrorKind::unauthorized;
    case 403:
      return ErrorKind::forbidden;
    case 404:
      return ErrorKind::not_found;
    case 409:
    case 412:
      return ErrorKind::wrong_state;
    case 413:
      return ErrorKind::body_too_large;
    case 429:
      return ErrorKind::too_many_attempts;
    case 503:
    case 502:
    case 504:
      return ErrorKind::unreachable;
    default:
      return status >= 500 ? ErrorKind::internal : ErrorKind::malformed_request;
  }
}

Error refusal(int status, const json::value& body) {
  const json::object* object = body.if_object();
  const std::string code = object == nullptr ? std::string() : text_member(*object, "code");
  const ErrorKind kind =
      code.empty() || (kind_of(code) == ErrorKind::internal && code != facts(ErrorKind::internal).code)
          ? kind_of_status(status)
          : kind_of(code);
  // The signer's own words, on one line, so that they pass for nobody else's.
  std::string detail = object == nullptr ? std::string() : printable(text_member(*object, "detail"));
  if (detail.empty()) {
    detail = "the signer answered with status " + std::to_string(status);
  }
  if (detail.ends_with('.')) {
    detail.pop_back();
  }
  if (kind == ErrorKind::unauthorized) {
    detail +=
        "; give it with --auth-token (without auth_policies: the text of admin-token in the signer's data folder, a "
        "new one at each start)";
  } else if (kind == ErrorKind::signer_sealed) {
    detail += "; `operator status` says what it waits for";
  }
  return {kind, detail};
}

// Files that were meant to protect the call must not be ignored.
Result<void> check_tls_files(const http::ClientTls& tls, bool encrypted) {
  for (const auto& [flag, path] : {std::pair<std::string, std::string>{"--ca-cert", tls.ca_path},
                                   {"--client-cert", tls.certificate_path},
                                   {"--client-key", tls.key_path}}) {
    if (!path.empty() && !encrypted) {
      return fail(ErrorKind::usage, flag + " is for https, but --signer-url begins with http://");
    }
    if (!path.empty() && ::access(path.c_str(), R_OK) != 0) {
      return fail(ErrorKind::usage, flag + " " + path + " cannot be read: " + std::strerror(errno));
    }
  }
  if (!tls.key_path.empty() && tls.certificate_path.empty()) {
    return fail(ErrorKind::usage, "--client-key needs --client-cert");
  }
  return {};
}

}  // namespace

std::string json_quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() * 6 + 2);
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

SecretJson::~SecretJson() { wipe(text_); }

// Grows by hand, so that no copy of a secret is left behind by a reallocation.
void SecretJson::append(std::string_view more) {
  if (text_.size() + more.size() > text_.capacity()) {
    std::string larger;
    larger.reserve((text_.size() + more.size()) * 2);
    larger = text_;
    wipe(text_);
    text_ = std::move(larger);
  }
  text_ += more;
}

void SecretJson::open_member(std::string_view name) {
  append(text_.empty() ? "\"" : ",\"");
  append(name);
  append("\":");
}

SecretJson& SecretJson::add(std::string_view name, std::string_view value) {
  open_member(name);
  std::string quoted = json_quoted(value);
  append(quoted);
  wipe(quoted);
  return *this;
}

SecretJson& SecretJson::add_secret(std::string_view name, const SecretBytes& value) {
  const auto bytes = expose_secret_bytes(value);
  return add(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

SecretJson& SecretJson::add_json(std::string_view name, std::string_view json) {
  open_member(name);
  append(json);
  return *this;
}

Result<SignerClient> SignerClient::make(std::string url, bool allow_plaintext, http::ClientTls tls) {
  while (url.ends_with('/')) {
    url.pop_back();
  }
  const auto parsed = parse_url(url);
  if (!parsed) {
    return fail(ErrorKind::usage, "--signer-url must look like http://localhost:9000, not '" + url + "'");
  }
  if (!parsed->encrypted && !is_loopback(parsed->host) && !allow_plaintext) {
    return fail(ErrorKind::plaintext_refused,
                url +
                    " is plain HTTP to another machine: tokens and passphrases would travel in clear. Use https, or "
                    "pass --allow-plaintext-signer when the way there is private");
  }
  CC_TRY(check_tls_files(tls, parsed->encrypted));
  return SignerClient(std::move(url), std::move(tls));
}

Result<json::value> SignerClient::call(const std::string& method, const std::string& path, const SecretBytes& token,
                                       std::string body) const {
  http::ClientRequest request;
  request.method = method;
  request.url = url_ + path;
  request.headers.emplace_back("Accept", "application/json");
  if (!token.empty()) {
    const auto bytes = expose_secret_bytes(token);
    request.headers.emplace_back("Authorization",
                                 "Bearer " + std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  if (!body.empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(body);
  }
  request.timeout = path.starts_with(kKeysPath) ? kKeysTimeout : kTimeout;
  request.tls = tls_;
  auto response = http::send(request);
  wipe(request.body);
  for (auto& [name, value] : request.headers) {
    wipe(value);
  }
  if (!response) {
    return fail(std::move(response).error());
  }
  boost::system::error_code error;
  json::value reply = json::parse(response->body, error);
  wipe(response->body);
  if (response->status >= 400) {
    return fail(refusal(response->status, error ? json::value() : reply));
  }
  if (error || response->status < 200 || response->status >= 300) {
    return fail(ErrorKind::internal, url_ + " does not answer like a signer (status " +
                                         std::to_string(response->status) + "); is the port right?");
  }
  if (!response->audit_head.empty()) {
    hold_against_memory(*this, response->audit_head);
  }
  return reply;
}

}  // namespace cc::app
