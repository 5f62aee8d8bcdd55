// Web3Signer's key descriptors: a YAML file of one or more documents, each describing one key.
//
//   type: file-raw                 type: file-keystore
//   keyType: BLS                   keyType: BLS
//   privateKey: "0x…"              keystoreFile: key.json
//                                  keystorePasswordFile: key.txt
//
// keyType is BLS when absent; other members are ignored. Documents that cannot be used are errors of their own and do
// not spoil the others. Source: Web3Signer's documentation of `--key-config-path`.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cc::files {

struct KeystoreDescriptor {
  std::string keystore_file;  // relative to the descriptor's folder, or absolute
  std::string password_file;
};
using Descriptor = std::variant<Secret<32>, KeystoreDescriptor>;  // a raw scalar, big-endian, or two files

// One result per document. Errors: unsupported naming the type; key_invalid; malformed_request with the line. A text
// that is no YAML at all is one error.
std::vector<Result<Descriptor>> parse_descriptors(std::string_view yaml);

}  // namespace cc::files
