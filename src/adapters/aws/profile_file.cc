#include "adapters/aws/profile_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/secret.h"
#include "http/wiping_text.h"

namespace cc::aws {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) {
    return {};
  }
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

// "[profile x]" → x; empty for sections that are no profile of this kind of file.
std::string profile_of(std::string_view line, ProfileFileKind kind) {
  const std::size_t close = line.find(']');
  std::string_view name = trimmed(line.substr(1, close == std::string_view::npos ? close : close - 1));
  if (kind == ProfileFileKind::credentials || name == "default") {
    return std::string(name);
  }
  constexpr std::string_view kPrefix = "profile";
  if (!name.starts_with(kPrefix) || name.size() == kPrefix.size() ||
      (name[kPrefix.size()] != ' ' && name[kPrefix.size()] != '\t')) {
    return {};
  }
  name = trimmed(name.substr(kPrefix.size()));
  if (name.size() >= 2 && name.front() == name.back() && (name.front() == '"' || name.front() == '\'')) {
    name = name.substr(1, name.size() - 2);
  }
  return std::string(name);
}

// A comment behind a value begins with a blank.
std::string_view without_comment(std::string_view value) {
  for (const std::string_view mark : {" #", " ;", "\t#", "\t;"}) {
    value = value.substr(0, value.find(mark));
  }
  return trimmed(value);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

ProfileFile ProfileFile::parse(std::string_view text, ProfileFileKind kind) {
  ProfileFile out;
  Settings* settings = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::string_view bare = trimmed(line);
    const std::size_t equals = bare.find('=');
    if (bare.empty() || bare.front() == '#' || bare.front() == ';') {
      continue;
    }
    if (bare.front() == '[') {
      const std::string name = profile_of(bare, kind);
      settings = name.empty() ? nullptr : &out.profiles_[name];
    } else if (settings != nullptr && equals != std::string_view::npos && line.front() != ' ' && line.front() != '\t') {
      std::string& value = (*settings)[lower(trimmed(bare.substr(0, equals)))];
      wipe(value);
      value = without_comment(bare.substr(equals + 1));
    }
  }
  return out;
}

ProfileFile::~ProfileFile() {
  for (auto& [name, settings] : profiles_) {
    for (auto& [key, value] : settings) {
      wipe(value);
    }
  }
}

const ProfileFile::Settings* ProfileFile::find(const std::string& profile) const {
  const auto found = profiles_.find(profile);
  return found == profiles_.end() ? nullptr : &found->second;
}

Result<std::optional<std::string>> read_small_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::optional<std::string>();
    }
    return fail(ErrorKind::kms_credentials, path + " cannot be read: " + std::strerror(errno));
  }
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no copy in a buffer of the library
  std::string out;
  std::string block(4096, '\0');
  bool more = true;
  while (more && out.size() <= kMaxCredentialFileBytes) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), file.get());
    http::append_wiping(out, std::string_view(block).substr(0, got));
    more = got == block.size();  // a short read is the end, or an error
  }
  wipe(block);
  if (std::ferror(file.get()) != 0 || out.size() > kMaxCredentialFileBytes) {
    wipe(out);
    return fail(ErrorKind::kms_credentials, path + " cannot be read, or is larger than 256 KiB");
  }
  return std::optional<std::string>(std::move(out));
}

}  // namespace cc::aws
