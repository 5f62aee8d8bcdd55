#include "adapters/files/descriptor.h"

#include <yaml-cpp/yaml.h>

#include <optional>

#include "base/bytes.h"

namespace cc::files {
namespace {

tl::unexpected<Error> malformed(std::string what) { return fail(ErrorKind::malformed_request, std::move(what)); }

Result<std::string> text_at(const YAML::Node& document, const char* name) {
  const YAML::Node value = document[name];
  if (!value.IsDefined() || !value.IsScalar() || value.Scalar().empty()) {
    return malformed(std::string("the member \"") + name + "\" is missing");
  }
  return value.Scalar();
}

Result<Descriptor> raw_key(const YAML::Node& document) {
  CC_ASSIGN(std::string text, text_at(document, "privateKey"));
  Secret<32> scalar;
  const auto read = from_hex_exact(text, expose_secret_bytes(scalar));
  wipe(text);
  if (!read) {
    return fail(ErrorKind::key_invalid, "privateKey must be 64 hexadecimal digits, with or without 0x");
  }
  return Descriptor(std::move(scalar));
}

Result<Descriptor> keystore(const YAML::Node& document) {
  KeystoreDescriptor out;
  CC_ASSIGN(out.keystore_file, text_at(document, "keystoreFile"));
  CC_ASSIGN(out.password_file, text_at(document, "keystorePasswordFile"));
  return Descriptor(std::move(out));
}

Result<Descriptor> read(const YAML::Node& document) {
  if (!document.IsMap()) {
    return malformed("a key descriptor is a map of members such as `type: file-keystore`");
  }
  CC_ASSIGN(const std::string type, text_at(document, "type"));
  const YAML::Node key_type = document["keyType"];
  if (key_type.IsDefined() && (!key_type.IsScalar() || key_type.Scalar() != "BLS")) {
    return fail(ErrorKind::unsupported, "keyType must be BLS");
  }
  if (type == "file-raw") {
    return raw_key(document);
  }
  if (type == "file-keystore") {
    return keystore(document);
  }
  return fail(ErrorKind::unsupported,
              "keys of this type are not supported: use file-raw or file-keystore, or import "
              "the key into the sealed store");
}

// One document of the text and the line it begins on. YAML::LoadAll of yaml-cpp 0.7 never ends on some broken texts, so
// the text is cut at its document marks, and each part is read by itself.
struct Document {
  std::string text;
  int line = 0;
};
bool is_mark(std::string_view line, std::string_view mark) {
  return line.starts_with(mark) && (line.size() == mark.size() || line[mark.size()] == ' ' ||
                                    line[mark.size()] == '\t' || line[mark.size()] == '\r');
}
std::vector<Document> documents_of(std::string_view yaml) {
  std::vector<Document> out(1);
  for (int number = 0; !yaml.empty(); ++number) {
    const auto end = yaml.find('\n');
    std::string_view line = yaml.substr(0, end);
    yaml = end == std::string_view::npos ? std::string_view() : yaml.substr(end + 1);
    if (is_mark(line, "---") || is_mark(line, "...")) {
      out.push_back({{}, number});
      line.remove_prefix(3);
    }
    out.back().text.append(line).append("\n");
  }
  return out;
}

// Nothing for a document of comments alone.
std::optional<Result<Descriptor>> read_text(const Document& document) {
  try {
    const YAML::Node node = YAML::Load(document.text);
    return node.IsNull() ? std::nullopt : std::optional(read(node));
  } catch (const YAML::Exception& error) {
    // The text may hold a private key: only the place is told, never the line.
    const int line = document.line + error.mark.line + 1;
    return Result<Descriptor>(
        malformed("not valid YAML" + (error.mark.is_null() ? std::string() : " at line " + std::to_string(line))));
  } catch (const std::exception&) {
    return Result<Descriptor>(malformed("the file cannot be read as YAML"));
  }
}

}  // namespace

std::vector<Result<Descriptor>> parse_descriptors(std::string_view yaml) {
  std::vector<Result<Descriptor>> out;
  for (Document& document : documents_of(yaml)) {
    if (auto one = read_text(document)) {
      out.push_back(*std::move(one));
    }
    wipe(document.text);
  }
  if (out.empty()) {
    out.emplace_back(malformed("the file describes no key"));
  }
  return out;
}

}  // namespace cc::files
