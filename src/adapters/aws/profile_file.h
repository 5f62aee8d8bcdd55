// The shared files of AWS's tools: ~/.aws/credentials and ~/.aws/config (INI).
//
// Lenient as those tools are: lines that are none, nested settings and unknown sections are passed over. Names of
// settings are read in lower case. Secrets: secret access keys and session tokens; the values are wiped with the file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::aws {

enum class ProfileFileKind { credentials, config };

class ProfileFile {
 public:
  using Settings = std::map<std::string, std::string>;
  // Profile names as one writes them: "default", "x" (of [x] in credentials, [profile x] in config).
  static ProfileFile parse(std::string_view text, ProfileFileKind kind);
  ProfileFile() = default;
  ProfileFile(ProfileFile&&) = default;
  ProfileFile& operator=(ProfileFile&&) = default;
  ProfileFile(const ProfileFile&) = delete;
  ProfileFile& operator=(const ProfileFile&) = delete;
  ~ProfileFile();

  const Settings* find(const std::string& profile) const;
  const std::map<std::string, Settings>& profiles() const { return profiles_; }

 private:
  std::map<std::string, Settings> profiles_;
};

inline constexpr std::size_t kMaxCredentialFileBytes = 256UL * 1024;
// The text of a small file; wiped by the caller. Empty when there is no such file. Errors: kms_credentials naming the
// file and why it cannot be read.
Result<std::optional<std::string>> read_small_file(const std::string& path);

}  // namespace cc::aws
