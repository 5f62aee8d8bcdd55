#include "adapters/aws/credential_endpoints.h"

#include <algorithm>
#include <array>

#include "adapters/aws/json_answer.h"
#include "adapters/aws/profile_file.h"
#include "adapters/aws/sts.h"

namespace cc::aws {
namespace {

constexpr unsigned kAttempts = 3;
constexpr Milliseconds kTimeout{1000};

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// Faults of the network and 5xx are tried again at once: the endpoint is on this machine or next to it.
Result<HttpAnswer> ask(Wire& wire, const HttpCall& call) {
  Result<HttpAnswer> answer = fail(ErrorKind::kms_unreachable, "not asked");
  for (unsigned attempt = 0; attempt < kAttempts; ++attempt) {
    answer = wire.send(call);
    if (answer && answer->status < 500) {
      return answer;
    }
  }
  return answer && answer->status >= 500
             ? fail(ErrorKind::kms_unreachable,
                    "the credential endpoint " + call.url + " answers HTTP " + std::to_string(answer->status))
             : std::move(answer);
}

void prepare(HttpCall& call) {
  call.method = "GET";
  call.timeout = kTimeout;
  call.connect_timeout = kTimeout;
}

std::string first_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  return text;
}

// The value of the Authorization header: a file's content wins, as AWS says.
Result<std::string> container_token(const Environment& environment) {
  const std::string file = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!file.empty()) {
    CC_ASSIGN(auto text, read_small_file(file));
    if (!text) {
      return fail(ErrorKind::kms_credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names " + file +
                                                  ", which does not exist: check the pod's service account and mounts");
    }
    wipe(token);
    token = first_line(*std::move(text));
  }
  if (token.find_first_of("\r\n") != std::string::npos) {
    wipe(token);
    return fail(ErrorKind::kms_credentials, "the token for the container's credential endpoint has a line break in it");
  }
  return token;
}

}  // namespace

bool container_address_allowed(const Address& address) {
  constexpr std::array<std::string_view, 3> kKnown{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  return address.scheme == "https" || is_loopback_host(address.host) ||
         std::ranges::find(kKnown, address.host) != kKnown.end();
}

Result<SharedCredentials> read_endpoint_credentials(std::string_view json, const std::string& source) {
  const auto parsed = JsonAnswer::parse(json);
  auto out = std::make_shared<Credentials>();
  if (parsed) {
    out->access_key_id = parsed->text("AccessKeyId").value_or("");
    out->secret_key = parsed->secret("SecretAccessKey").value_or(SecretBytes());
    out->session_token = parsed->secret("Token").value_or(SecretBytes());
    out->expires_unix = parse_expiration(parsed->text("Expiration").value_or(""));
  }
  out->source = source;
  const bool whole = !out->access_key_id.empty() && !out->secret_key.empty() && out->expires_unix;
  if (!whole || parsed->text("Code").value_or("Success") != "Success") {
    return fail(ErrorKind::kms_credentials, "the answer of the " + source + " holds no readable credentials");
  }
  return SharedCredentials(std::move(out));
}

Result<SharedCredentials> container_credentials(Wire& wire, const Environment& environment) {
  const std::string relative = variable(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = variable(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) {
    return SharedCredentials();
  }
  HttpCall call;
  prepare(call);
  call.url = relative.empty() ? full : "http://169.254.170.2" + relative;
  const auto address = parse_address(call.url);
  if (!address || !container_address_allowed(*address)) {
    return fail(ErrorKind::kms_credentials,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine, 169.254.170.2, "
                "169.254.170.23 or [fd00:ec2::23]");
  }
  CC_ASSIGN(std::string token, container_token(environment));
  if (!token.empty()) {
    call.headers["authorization"] = token;
    wipe(token);
  }
  CC_ASSIGN(const HttpAnswer answer, ask(wire, call));
  if (answer.status != 200) {
    return fail(ErrorKind::kms_credentials, "the container's credential endpoint answers HTTP " +
                                                std::to_string(answer.status) +
                                                ": check that a role is bound to this task or service account");
  }
  return read_endpoint_credentials(answer.body, "container endpoint");
}

Result<SharedCredentials> instance_credentials(Wire& wire, const Environment& environment) {
  if (variable(environment, "AWS_EC2_METADATA_DISABLED") == "true") {
    return SharedCredentials();
  }
  const std::string set = variable(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const bool v6 = variable(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6";
  std::string base = !set.empty() ? set : v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
  base += base.ends_with('/') ? "" : "/";
  HttpCall open;
  prepare(open);
  open.method = "PUT";
  open.url = base + "latest/api/token";
  open.headers["x-aws-ec2-metadata-token-ttl-seconds"] = "21600";
  auto token = wire.send(open);
  if (!token || token->status != 200) {
    return fail(ErrorKind::kms_unreachable,
                "no instance metadata service at " + base +
                    (token ? " (HTTP " + std::to_string(token->status) + ")" : std::string()) +
                    "; in a container on EC2 the instance's HttpPutResponseHopLimit must be 2 or more");
  }
  HttpCall read;
  prepare(read);
  read.headers["x-aws-ec2-metadata-token"] = token->body;
  const std::string folder = base + "latest/meta-data/iam/security-credentials/";
  read.url = folder;
  CC_ASSIGN(const HttpAnswer roles, ask(wire, read));
  const std::string role = roles.body.substr(0, roles.body.find('\n'));
  const bool shaped = !role.empty() && role.size() <= 64 && std::ranges::all_of(role, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+=,.@-_").find(c) != std::string_view::npos;
  });
  if (roles.status != 200 || !shaped) {
    return fail(ErrorKind::kms_credentials,
                "this instance has no role: attach an instance profile (metadata service, HTTP " +
                    std::to_string(roles.status) + ")");
  }
  read.url = folder + role;
  CC_ASSIGN(const HttpAnswer answer, ask(wire, read));
  if (answer.status != 200) {
    return fail(ErrorKind::kms_credentials, "the metadata service gives no credentials for the instance's role (HTTP " +
                                                std::to_string(answer.status) + ")");
  }
  return read_endpoint_credentials(answer.body, "instance metadata service");
}

}  // namespace cc::aws
