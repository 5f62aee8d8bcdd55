#include "app/signer_id.h"

#include <filesystem>

#include "adapters/files/new_files.h"
#include "adapters/files/small_file.h"
#include "base/bytes.h"

namespace cc::app {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kLargestFile = 1024;

std::string path_in(const std::string& data_dir) { return data_dir + "/signer-id"; }

}  // namespace

Result<SignerId> signer_id(const std::string& data_dir, Random& random) {
  CC_ASSIGN(std::optional<std::string> known, known_signer_id(data_dir));
  if (known) {
    return SignerId{*std::move(known), false};
  }
  SignerId fresh{to_hex(random.array<kIdBytes>()), true};
  CC_TRY(files::write_private_line(path_in(data_dir), SecretBytes::copy_of(std::string_view(fresh.text))));
  return fresh;
}

Result<std::optional<std::string>> known_signer_id(const std::string& data_dir) {
  const std::string path = path_in(data_dir);
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) {
    return std::nullopt;
  }
  const auto file = files::read_small_file(path, kLargestFile);
  if (!file) {
    return fail(ErrorKind::store_unavailable, "the signer's id cannot be read: " + file.error().message);
  }
  const auto raw = expose_secret_bytes(file->content);
  std::string text(raw.begin(), raw.end());
  text.resize(text.ends_with('\n') ? text.size() - 1 : text.size());
  std::array<std::uint8_t, kIdBytes> id{};
  if (!from_hex_exact(text, id) || to_hex(id) != text) {
    return fail(ErrorKind::store_unavailable,
                path +
                    " holds no signer id (32 hexadecimal digits): restore it from a backup. Without it the audit log "
                    "beside it is remembered by nobody: run `containment-chamber audit verify`, then remove the file, "
                    "and a new id is drawn");
  }
  return text;
}

}  // namespace cc::app
