#include "adapters/aws/sts.h"

#include <ctime>

#include "adapters/aws/service_error.h"

namespace cc::aws {
namespace {

// application/x-www-form-urlencoded, everything but unreserved characters escaped.
void add_field(std::string& body, std::string_view name, std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  body.append(body.empty() ? "" : "&").append(name).append("=");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      body += c;
    } else {
      body += '%';
      body += kHex[byte >> 4];
      body += kHex[byte & 15];
    }
  }
}

Result<SharedCredentials> ask(Client& client, const RoleRequest& request, const std::string& action, std::string& body,
                              CredentialSource* by) {
  ServiceCall call{"sts", request.region, "sts:" + action, "application/x-www-form-urlencoded; charset=utf-8", "", {}};
  call.body.swap(body);
  const auto answer = client.call(call, by);
  wipe(call.body);
  if (!answer) {
    return fail(answer.error());
  }
  return read_sts_credentials(answer->body, request.source);
}

std::string form(const RoleRequest& request, std::string_view action, std::size_t reserve) {
  std::string body;
  body.reserve(reserve);
  add_field(body, "Action", action);
  add_field(body, "Version", "2011-06-15");
  add_field(body, "RoleArn", request.role_arn);
  add_field(body, "RoleSessionName", request.session_name);
  return body;
}

}  // namespace

std::optional<std::uint64_t> parse_expiration(std::string_view text) {
  std::tm time{};
  const std::string copy(text);
  const char* const rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) {
    return std::nullopt;
  }
  std::string_view left(rest);
  if (left.starts_with('.')) {
    left.remove_prefix(1);
    left.remove_prefix(std::min(left.find_first_not_of("0123456789"), left.size()));
  }
  const std::time_t seconds = ::timegm(&time);
  if ((left != "Z" && left != "+00:00") || seconds < 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(seconds);
}

Result<SharedCredentials> read_sts_credentials(std::string_view xml, const std::string& source) {
  auto out = std::make_shared<Credentials>();
  out->access_key_id = xml_text(xml, "AccessKeyId");
  std::string secret = xml_text(xml, "SecretAccessKey");
  std::string token = xml_text(xml, "SessionToken");
  out->secret_key = SecretBytes::copy_of(std::string_view(secret));
  out->session_token = SecretBytes::copy_of(std::string_view(token));
  out->expires_unix = parse_expiration(xml_text(xml, "Expiration"));
  out->source = source;
  wipe(secret);
  wipe(token);
  if (out->access_key_id.empty() || out->secret_key.empty() || out->session_token.empty() || !out->expires_unix) {
    return fail(ErrorKind::kms_credentials, "the answer of AWS STS holds no readable credentials (" + source + ")");
  }
  return SharedCredentials(std::move(out));
}

Result<SharedCredentials> assume_role_with_web_identity(Client& client, const RoleRequest& request,
                                                        const std::string& token) {
  constexpr std::string_view kAction = "AssumeRoleWithWebIdentity";
  std::string body = form(request, kAction, 3 * token.size() + 8192);
  add_field(body, "WebIdentityToken", token);
  return ask(client, request, std::string(kAction), body, nullptr);
}

Result<SharedCredentials> assume_role(Client& client, const RoleRequest& request, CredentialSource& by) {
  constexpr std::string_view kAction = "AssumeRole";
  std::string body = form(request, kAction, 8192);
  if (!request.external_id.empty()) {
    add_field(body, "ExternalId", request.external_id);
  }
  return ask(client, request, std::string(kAction), body, &by);
}

}  // namespace cc::aws
