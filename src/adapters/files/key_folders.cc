#include "adapters/files/key_folders.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "adapters/files/descriptor.h"
#include "adapters/files/small_file.h"
#include "base/log.h"

namespace cc::files {
namespace {

namespace fs = std::filesystem;
using keys::KeyFiles;
using keys::KeystoreItem;

constexpr std::streamoff kLargestCache = std::streamoff{256} * 1024 * 1024;

// Files of a folder with one of the extensions, in order of name.
Result<std::vector<fs::path>> list(const fs::path& folder, std::initializer_list<std::string_view> extensions) {
  std::vector<fs::path> out;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    const fs::path& path = at->path();
    const bool wanted = std::ranges::find(extensions, path.extension().string()) != extensions.end();
    if (wanted && !path.filename().string().starts_with('.')) {
      out.push_back(path);
    }
  }
  if (error) {
    return fail(ErrorKind::key_files_unreadable, "the key folder " + folder.string() + " cannot be listed: " +
                                                     error.message() + "; keys loaded before stay");
  }
  std::ranges::sort(out);
  return out;
}

std::string_view text_of(const SecretBytes& bytes) {
  const auto raw = expose_secret_bytes(bytes);
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

class Reading {
 public:
  Result<KeyFiles> all(const KeyFolderPaths& paths) {
    for (const std::string& folder : paths.descriptors) {
      CC_ASSIGN(const auto files, list(folder, {".yaml", ".yml"}));
      for (const fs::path& file : files) {
        descriptor_file(file);
      }
    }
    if (!paths.keystores.empty()) {
      CC_ASSIGN(const auto files, list(paths.keystores, {".json"}));
      for (const fs::path& file : files) {
        const fs::path password = paths.password_file.empty() ? fs::path(paths.passwords) / file.stem().concat(".txt")
                                                              : fs::path(paths.password_file);
        keystore(file.string(), file, password, false);
      }
    }
    if (exposed_ > 0) {
      log::warn("key or password files can be read by other users of this machine: chmod 0600 them",
                {{"files", exposed_}, {"first", first_exposed_}});
    }
    return std::move(out_);
  }

 private:
  void bad(const std::string& name, Error error) { out_.bad.push_back({name, std::move(error)}); }

  Result<SecretBytes> take(const fs::path& path, std::size_t limit) {
    CC_ASSIGN(SmallFile file, read_small_file(path, limit));
    if (file.open_to_others && exposed_++ == 0) {
      first_exposed_ = path.string();
    }
    return std::move(file.content);
  }

  void descriptor_file(const fs::path& path) {
    const auto text = take(path, kLargestDescriptor);
    if (!text) {
      return bad(path.string(), text.error());
    }
    auto documents = parse_descriptors(text_of(*text));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const std::string name = documents.size() == 1 ? path.string() : path.string() + " #" + std::to_string(i + 1);
      if (!documents[i]) {
        bad(name, documents[i].error());
      } else if (auto* scalar = std::get_if<Secret<32>>(&*documents[i])) {
        out_.found.push_back({name, std::move(*scalar)});
      } else {
        const auto& files = std::get<KeystoreDescriptor>(*documents[i]);
        const fs::path folder = path.parent_path();
        keystore(name, folder / files.keystore_file, folder / files.password_file, true);
      }
    }
  }

  // A descriptor names a password file of which the first line counts; in bulk the whole file is the password, and
  // opening the keystore drops its control characters (EIP-2335).
  void keystore(const std::string& name, const fs::path& file, const fs::path& password_file, bool first_line) {
    const auto json = take(file, kLargestKeystore);
    if (!json) {
      return bad(name, {json.error().kind, "keystore " + file.string() + ": " + json.error().message});
    }
    auto password = take(password_file, kLargestPassword);
    if (!password) {
      return bad(name, {password.error().kind, "password " + password_file.string() + ": " + password.error().message});
    }
    if (first_line) {
      std::string_view text = text_of(*password);
      text = text.substr(0, text.find_first_of("\r\n"));
      password = SecretBytes::copy_of(text);
    }
    if (password->empty()) {
      return bad(name, {ErrorKind::keystore_password, "the password file " + password_file.string() + " is blank"});
    }
    out_.found.push_back({name, KeystoreItem{std::string(text_of(*json)), *std::move(password)}});
  }

  KeyFiles out_;
  std::uint64_t exposed_ = 0;
  std::string first_exposed_;
};

}  // namespace

Result<KeyFiles> KeyFolders::read() { return Reading().all(paths_); }

Result<std::optional<Bytes>> CacheFile::read() {
  std::ifstream in(path_, std::ios::binary | std::ios::ate);
  if (!in) {
    return std::nullopt;
  }
  const std::streamoff size = in.tellg();
  if (size < 0 || size > kLargestCache) {
    return fail(ErrorKind::key_files_unreadable, "the keystore cache " + path_.string() + " has an impossible size");
  }
  Bytes out(static_cast<std::size_t>(size));
  in.seekg(0);
  if (!in.read(reinterpret_cast<char*>(out.data()), size)) {
    return fail(ErrorKind::key_files_unreadable, "the keystore cache " + path_.string() + " cannot be read");
  }
  return out;
}

Result<void> CacheFile::write(ByteView content) { return replace_file(path_, content); }

}  // namespace cc::files
