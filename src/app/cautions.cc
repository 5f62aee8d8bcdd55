#include "app/cautions.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ranges>

#include "http/listen_address.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;

std::optional<struct stat> status_of(const std::string& path) {
  struct stat out{};
  return ::stat(path.c_str(), &out) == 0 ? std::optional(out) : std::nullopt;
}

bool may_sign(const access::PolicyConfig& policy) {
  return !policy.allowed_scopes || std::ranges::find(*policy.allowed_scopes, "sign") != policy.allowed_scopes->end();
}

bool written_out(const access::PolicyConfig& policy) {
  constexpr std::string_view kVariable = "env:";
  return !std::ranges::equal(expose_secret_bytes(policy.token) | std::views::take(kVariable.size()), kVariable);
}

// Whoever steals the disk that holds data and KEKs opens a kms_only chamber.
void keks_beside_data(const Config& config, std::vector<std::string>& out) {
  const auto keks = status_of(config.kek_local_dir);
  const auto data = status_of(config.data_dir);
  std::error_code error;
  if (keks && data && keks->st_dev == data->st_dev && !fs::is_empty(config.kek_local_dir, error)) {
    out.push_back("local KEKs (" + config.kek_local_dir +
                  ") lie on the same disk as the data: a thief of this disk opens a kms_only chamber");
  }
}

void open_to_the_network(const Config& config, std::vector<std::string>& out) {
  const std::string& address = config.server.listen_address;
  if (http::within_this_machine(address)) {
    return;
  }
  const bool no_policy = config.auth_policies.empty() && !config.unauthenticated_policy;
  if (no_policy || (config.unauthenticated_policy && may_sign(*config.unauthenticated_policy))) {
    out.push_back("whoever reaches " + address +
                  " may sign without a token: set auth_policies, or let server.listen_address be 127.0.0.1");
  }
  if (!config.auth_policies.empty()) {
    out.push_back("tokens travel unencrypted to " + address + " port " + std::to_string(config.server.listen_port) +
                  ": let server.listen_address be 127.0.0.1 and callers from elsewhere use TLS (tls.mode: file, "
                  "tls.listen_address)");
  }
}

void tokens_others_can_read(const Config& config, std::vector<std::string>& out) {
  const auto status = status_of(config.file);
  const bool readable = status && (status->st_mode & (S_IRGRP | S_IROTH)) != 0;
  if (readable &&
      std::ranges::any_of(config.auth_policies, [](const auto& each) { return written_out(each.second); })) {
    out.push_back(config.file +
                  " holds tokens and other users of this machine can read it: chmod 600, or write env:NAME");
  }
}

void missing_key_files(const Config& config, std::vector<std::string>& out) {
  std::vector<std::string> paths = config.key_files.paths;
  paths.insert(paths.end(), {config.key_files.keystores_path, config.key_files.keystores_passwords_path,
                             config.key_files.keystores_password_file});
  for (const std::string& path : paths) {
    if (!path.empty() && !status_of(path)) {
      out.push_back("key_sources.filesystem names " + path + ", which cannot be reached: no key is read from there");
    }
  }
}

}  // namespace

std::vector<std::string> cautions(const Config& config) {
  std::vector<std::string> out;
  keks_beside_data(config, out);
  open_to_the_network(config, out);
  tokens_others_can_read(config, out);
  missing_key_files(config, out);
  return out;
}

}  // namespace cc::app
