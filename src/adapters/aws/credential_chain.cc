#include "adapters/aws/credential_chain.h"

#include "adapters/aws/credential_endpoints.h"
#include "adapters/aws/profile_credentials.h"
#include "base/log.h"

namespace cc::aws {
namespace {

constexpr std::uint64_t kRefreshSeconds = 300;
constexpr Milliseconds kPauseAfterFailure{30'000};

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

std::string first_set(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) {
      return value;
    }
  }
  return {};
}

Result<SharedCredentials> environment_credentials(const Environment& environment) {
  auto out = std::make_shared<Credentials>();
  out->access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
  if (out->access_key_id.empty()) {
    return SharedCredentials();
  }
  const auto secret = environment.find("AWS_SECRET_ACCESS_KEY");
  if (secret == environment.end() || secret->second.empty()) {
    return fail(ErrorKind::kms_credentials, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
  }
  out->secret_key = SecretBytes::copy_of(std::string_view(secret->second));
  if (const auto token = environment.find("AWS_SESSION_TOKEN"); token != environment.end()) {
    out->session_token = SecretBytes::copy_of(std::string_view(token->second));
  }
  out->source = "environment";
  return SharedCredentials(std::move(out));
}

tl::unexpected<Error> nothing_found(const std::string& last) {
  return fail(
      ErrorKind::kms_credentials,
      "no AWS credentials found in the environment (AWS_ACCESS_KEY_ID), the profile files, a web identity token "
      "file, a container endpoint or the instance metadata service" +
          (last.empty() ? "" : " (" + last + ")") + "; set up one of them (docs/reference/aws.md)");
}

}  // namespace

CredentialChain::CredentialChain(ChainOptions options, Outside outside, Client& client)
    : options_(std::move(options)), outside_(outside), client_(client) {}

bool CredentialChain::fresh() const {
  return held_ && !refused_ &&
         (!held_->expires_unix || outside_.clock.unix_seconds() + kRefreshSeconds < *held_->expires_unix);
}

Result<SharedCredentials> CredentialChain::current() {
  const std::lock_guard lock(mutex_);
  const bool lasts =
      held_ && !refused_ && (!held_->expires_unix || outside_.clock.unix_seconds() < *held_->expires_unix);
  if (fresh() || (lasts && outside_.clock.monotonic() < next_try_)) {
    return held_;
  }
  auto fetched = fetch();
  if (fetched) {
    held_ = *std::move(fetched);
    refused_ = false;
    log::info("AWS credentials", {{"source", held_->source}, {"access_key_id", held_->access_key_id}});
    return held_;
  }
  if (lasts) {
    next_try_ = outside_.clock.monotonic() + kPauseAfterFailure;
    log::warn("AWS credentials cannot be renewed yet; the old ones still last",
              {{"code", facts(fetched.error().kind).code}, {"reason", fetched.error().message}});
    return held_;
  }
  return fetched;
}

void CredentialChain::reject(const SharedCredentials& refused) {
  const std::lock_guard lock(mutex_);
  refused_ = refused_ || held_ == refused;
}

Result<std::string> region_of(const ChainOptions& options) {
  const Environment& environment = options.environment;
  const std::string set =
      first_set({options.region, variable(environment, "AWS_REGION"), variable(environment, "AWS_DEFAULT_REGION")});
  if (!set.empty()) {
    return set;
  }
  CC_ASSIGN(const ProfileFiles files, ProfileFiles::read(environment));
  return files.setting(first_set({options.profile, variable(environment, "AWS_PROFILE"), "default"}), "region");
}

Result<SharedCredentials> CredentialChain::fetch() {
  const Environment& environment = options_.environment;
  const std::string named = first_set({options_.profile, variable(environment, "AWS_PROFILE")});
  if (named.empty()) {
    CC_ASSIGN(SharedCredentials found, environment_credentials(environment));
    if (found) {
      return found;
    }
  }
  const std::string profile = named.empty() ? "default" : named;
  CC_ASSIGN(const ProfileFiles files, ProfileFiles::read(environment));
  if (!named.empty() && !files.has(named)) {
    return fail(ErrorKind::kms_credentials, "the AWS profile " + named + " is in neither of the profile files");
  }
  CC_ASSIGN(const std::string set, region_of(options_));
  const std::string region = set.empty() ? "us-east-1" : set;
  CC_ASSIGN(SharedCredentials found,
            (ProfileReader{files, environment, outside_, client_, region}.credentials(profile)));
  const std::string token_file = variable(environment, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (!found && !token_file.empty()) {
    const std::string role = variable(environment, "AWS_ROLE_ARN");
    if (role.empty()) {
      return fail(ErrorKind::kms_credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
    }
    return web_identity_credentials(
        client_, {role, token_file, session_name_or(variable(environment, "AWS_ROLE_SESSION_NAME"), outside_.clock),
                  region, "web identity token file"});
  }
  if (!found) {
    CC_ASSIGN(found, container_credentials(outside_.wire, environment));
  }
  if (found) {
    return found;
  }
  auto instance = instance_credentials(outside_.wire, environment);
  if (!instance && instance.error().kind == ErrorKind::kms_unreachable) {
    return nothing_found(instance.error().message);
  }
  return !instance || *instance ? std::move(instance) : Result<SharedCredentials>(nothing_found(""));
}

}  // namespace cc::aws
