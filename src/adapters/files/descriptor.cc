#include "adapters/files/descriptor.h"

#include <yaml-cpp/yaml.h>

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

}  // namespace

std::vector<Result<Descriptor>> parse_descriptors(std::string_view yaml) {
  std::vector<Result<Descriptor>> out;
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(yaml))) {
      if (!document.IsNull()) {
        out.push_back(read(document));
      }
    }
    if (out.empty()) {
      out.emplace_back(malformed("the file describes no key"));
    }
  } catch (const YAML::Exception& error) {
    // The text may hold a private key: only the place is told, never the line.
    out.emplace_back(malformed(
        "not valid YAML" + (error.mark.is_null() ? std::string() : " at line " + std::to_string(error.mark.line + 1))));
  } catch (const std::exception&) {
    out.emplace_back(malformed("the file cannot be read as YAML"));
  }
  return out;
}

}  // namespace cc::files
