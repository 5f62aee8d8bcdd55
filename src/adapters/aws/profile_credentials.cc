#include "adapters/aws/profile_credentials.h"

#include <set>

#include "adapters/aws/credential_endpoints.h"
#include "adapters/aws/sts.h"

namespace cc::aws {
namespace {

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Result<ProfileFile> read_profile_file(const Environment& environment, const std::string& name, const char* standard,
                                      ProfileFileKind kind) {
  std::string path = variable(environment, name);
  if (path.empty() || path.starts_with("~/")) {
    const std::string home = variable(environment, "HOME");
    if (home.empty()) {
      return ProfileFile();
    }
    path = home + (path.empty() ? standard : path.substr(1));
  }
  CC_ASSIGN(auto text, read_small_file(path));
  if (!text) {
    return ProfileFile();
  }
  ProfileFile out = ProfileFile::parse(*text, kind);
  wipe(*text);
  return out;
}

Result<SharedCredentials> static_environment(const Environment& environment) {
  auto out = std::make_shared<Credentials>();
  out->access_key_id = variable(environment, "AWS_ACCESS_KEY_ID");
  out->secret_key = SecretBytes::copy_of(std::string_view(variable(environment, "AWS_SECRET_ACCESS_KEY")));
  out->session_token = SecretBytes::copy_of(std::string_view(variable(environment, "AWS_SESSION_TOKEN")));
  out->source = "environment";
  return SharedCredentials(std::move(out));
}

// One profile after the other, along source_profile.
class Walk {
 public:
  explicit Walk(const ProfileReader& reader) : reader_(reader) {}

  Result<SharedCredentials> credentials(const std::string& profile) {
    const std::string role = setting(profile, "role_arn");
    const bool seen = !visited_.insert(profile).second;
    if (role.empty() || (seen && has_keys(profile))) {
      return own_credentials(profile);
    }
    if (seen) {
      return trouble(profile, "source_profile", "goes round in a circle");
    }
    const std::string token_file = setting(profile, "web_identity_token_file");
    if (!token_file.empty()) {
      return web_identity_credentials(reader_.client,
                                      {role, token_file, session_name(profile), reader_.region, "profile " + profile});
    }
    CC_ASSIGN(const SharedCredentials by, source_of(profile));
    if (!by) {
      return trouble(profile, "role_arn", "needs source_profile, credential_source or web_identity_token_file");
    }
    if (!setting(profile, "mfa_serial").empty()) {
      return trouble(profile, "mfa_serial", "asks for a person at every start; use a role without it");
    }
    FixedCredentials source(by);
    return assume_role(
        reader_.client,
        {role, session_name(profile), setting(profile, "external_id"), reader_.region, "profile " + profile}, source);
  }

 private:
  static tl::unexpected<Error> trouble(const std::string& profile, const std::string& setting,
                                       const std::string& what) {
    return fail(ErrorKind::kms_credentials, "the AWS profile " + profile + ": " + setting + " " + what);
  }
  std::string setting(const std::string& profile, const std::string& name) const {
    return reader_.files.setting(profile, name);
  }
  std::string session_name(const std::string& profile) const {
    return session_name_or(setting(profile, "role_session_name"), reader_.outside.clock);
  }
  bool has_keys(const std::string& profile) const { return !setting(profile, "aws_access_key_id").empty(); }

  Result<SharedCredentials> own_credentials(const std::string& profile) const {
    if (!has_keys(profile)) {
      for (const char* const name : {"credential_process", "sso_session", "sso_start_url"}) {
        if (!setting(profile, name).empty()) {
          return trouble(profile, name, "is not supported; use a role, static keys or another source");
        }
      }
      return SharedCredentials();
    }
    auto out = std::make_shared<Credentials>();
    std::string secret = setting(profile, "aws_secret_access_key");
    std::string token = setting(profile, "aws_session_token");
    out->access_key_id = setting(profile, "aws_access_key_id");
    out->secret_key = SecretBytes::copy_of(std::string_view(secret));
    out->session_token = SecretBytes::copy_of(std::string_view(token));
    out->source = "profile " + profile;
    wipe(secret);
    wipe(token);
    return out->secret_key.empty() ? Result<SharedCredentials>(trouble(profile, "aws_secret_access_key", "is missing"))
                                   : Result<SharedCredentials>(std::move(out));
  }

  Result<SharedCredentials> source_of(const std::string& profile) {
    const std::string next = setting(profile, "source_profile");
    const std::string kind = setting(profile, "credential_source");
    if (!next.empty()) {
      return reader_.files.has(next) ? credentials(next)
                                     : trouble(profile, "source_profile", "names " + next + ", which does not exist");
    }
    if (kind == "Environment") {
      return static_environment(reader_.environment);
    }
    if (kind == "EcsContainer") {
      return container_credentials(reader_.outside.wire, reader_.environment);
    }
    if (kind == "Ec2InstanceMetadata") {
      return instance_credentials(reader_.outside.wire, reader_.environment);
    }
    return kind.empty()
               ? Result<SharedCredentials>(SharedCredentials())
               : trouble(profile, "credential_source", "must be Environment, EcsContainer or Ec2InstanceMetadata");
  }

  const ProfileReader& reader_;
  std::set<std::string> visited_;
};

}  // namespace

Result<ProfileFiles> ProfileFiles::read(const Environment& environment) {
  CC_ASSIGN(ProfileFile credentials, read_profile_file(environment, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials",
                                                       ProfileFileKind::credentials));
  CC_ASSIGN(ProfileFile config,
            read_profile_file(environment, "AWS_CONFIG_FILE", "/.aws/config", ProfileFileKind::config));
  return ProfileFiles{std::move(credentials), std::move(config)};
}

std::string ProfileFiles::setting(const std::string& profile, const std::string& name) const {
  for (const ProfileFile* file : {&credentials, &config}) {
    const ProfileFile::Settings* const settings = file->find(profile);
    const auto found = settings == nullptr ? ProfileFile::Settings::const_iterator() : settings->find(name);
    if (settings != nullptr && found != settings->end()) {
      return found->second;
    }
  }
  return {};
}

bool ProfileFiles::has(const std::string& profile) const {
  return credentials.find(profile) != nullptr || config.find(profile) != nullptr;
}

Result<SharedCredentials> ProfileReader::credentials(const std::string& profile) const {
  return Walk(*this).credentials(profile);
}

std::string session_name_or(const std::string& given, const Clock& clock) {
  return given.empty() ? "containment-chamber-" + std::to_string(clock.unix_seconds()) : given;
}

Result<SharedCredentials> web_identity_credentials(Client& client, const WebIdentity& identity) {
  CC_ASSIGN(auto token, read_small_file(identity.token_file));
  if (!token || token->empty()) {
    return fail(ErrorKind::kms_credentials, "the web identity token file " + identity.token_file +
                                                (token ? " is empty" : " does not exist") + " (" + identity.source +
                                                "): check the pod's service account and mounts");
  }
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) {
    token->pop_back();
  }
  auto out = assume_role_with_web_identity(
      client, {identity.role_arn, identity.session_name, "", identity.region, identity.source}, *token);
  wipe(*token);
  return out;
}

}  // namespace cc::aws
