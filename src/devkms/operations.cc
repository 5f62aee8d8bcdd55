#include "devkms/operations.h"

#include <algorithm>
#include <boost/json.hpp>

#include "adapters/aws/kms.h"
#include "crypto/hash.h"
#include "formats/json_shape.h"
#include "formats/wiping_json.h"
#include "http/json_text.h"

namespace cc::devkms {
namespace {

namespace bj = boost::json;

constexpr std::string_view kMagic = "cc-dev-kms-1";
constexpr std::size_t kNameSize = 33;
constexpr std::size_t kCallsKept = 1000;

Outcome refuse(std::string code, std::string message, int status = 400) {
  return {Refusal{status, std::move(code), std::move(message)}, {}};
}
Outcome invalid(const std::string& what) { return refuse("ValidationException", what); }

}  // namespace

// The members the four operations know, checked for their types.
struct Operations::Input {
  std::string key_id, key_spec;
  seal::KekContext context;
  SecretBytes plaintext;
  Bytes blob;
  std::int64_t number_of_bytes = 0;

  static Result<Input> parse(std::string_view text) {
    const auto wrong = [](const std::string& what) { return fail(ErrorKind::malformed_request, what); };
    CC_TRY(json::check_shape(text));
    json::WipingResource memory;
    bj::error_code error;
    const bj::value document = bj::parse(text, error, bj::storage_ptr(&memory));
    if (error || !document.is_object()) {
      return wrong("the body is no JSON object");
    }
    Input out;
    for (const auto& [name, value] : document.get_object()) {
      const bool text_wanted = name == "KeyId" || name == "KeySpec" || name == "Plaintext" || name == "CiphertextBlob";
      if (text_wanted && !value.is_string()) {
        return wrong(std::string(name) + " must be a text");
      }
      if (name == "KeyId") {
        out.key_id = std::string_view(value.get_string());
      } else if (name == "KeySpec") {
        out.key_spec = std::string_view(value.get_string());
      } else if (name == "Plaintext" || name == "CiphertextBlob") {
        auto bytes = from_base64(std::string_view(value.get_string()));
        if (!bytes) {
          return wrong(std::string(name) + " is not base64");
        }
        if (name == "Plaintext") {
          out.plaintext = SecretBytes::copy_of(*bytes);
        } else {
          out.blob = *bytes;
        }
        wipe(*bytes);
      } else if (name == "NumberOfBytes") {
        if (!value.is_int64()) {
          return wrong("NumberOfBytes must be a number");
        }
        out.number_of_bytes = value.get_int64();
      } else if (name == "EncryptionContext") {
        if (!value.is_object()) {
          return wrong("EncryptionContext must be a map");
        }
        for (const auto& [key, one] : value.get_object()) {
          if (!one.is_string()) {
            return wrong("EncryptionContext must map texts to texts");
          }
          out.context.emplace(key, std::string_view(one.get_string()));
        }
      }
    }
    return out;
  }
};

Result<std::unique_ptr<Operations>> Operations::open(const std::string& directory, const std::vector<std::string>& arns,
                                                     Random& random) {
  std::unique_ptr<Operations> out(new Operations(directory, random));
  for (const std::string& arn : arns) {
    CC_ASSIGN(const aws::KeyArn parsed, aws::KeyArn::parse(arn));
    CC_ASSIGN(const seal::KekName name, seal::parse_kek_name(arn));
    const std::string local = "local://k" + to_hex(crypto::sha256(bytes_of(name.canonical))).substr(0, kNameSize - 1);
    CC_TRY(out->material_.prepare(local));
    out->keys_.push_back({arn, parsed.region, parsed.account, arn.substr(arn.rfind('/') + 1), local});
  }
  return out;
}

const Operations::Key* Operations::find(const std::string& key_id, const std::string& region) const {
  const auto found = std::ranges::find_if(
      keys_, [&](const Key& one) { return one.region == region && (one.arn == key_id || one.id == key_id); });
  return found == keys_.end() ? nullptr : &*found;
}

const Operations::Key* Operations::of_blob(ByteView blob, const std::string& region) const {
  const std::string text(blob.begin(), blob.end());
  if (!text.starts_with(kMagic) || text.size() <= kMagic.size() + kNameSize) {
    return nullptr;
  }
  const std::string local = "local://" + text.substr(kMagic.size(), kNameSize);
  const auto found =
      std::ranges::find_if(keys_, [&](const Key& one) { return one.region == region && one.local == local; });
  return found == keys_.end() ? nullptr : &*found;
}

void Operations::remember(const std::string& operation, const Caller& caller, const Input& input) {
  const std::lock_guard lock(mutex_);
  if (calls_.size() < kCallsKept) {
    calls_.push_back({operation, input.key_id, caller.region, input.context});
  }
}

std::vector<Call> Operations::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

Outcome Operations::run(const std::string& operation, const Caller& caller, std::string_view body, Faults& faults,
                        bool& never_answer) {
  const auto input = Input::parse(body);
  if (!input) {
    return refuse("SerializationException", input.error().message);
  }
  const bool known =
      operation == "Encrypt" || operation == "Decrypt" || operation == "GenerateDataKey" || operation == "DescribeKey";
  if (!known) {
    return refuse("UnknownOperationException", "dev-kms knows Encrypt, Decrypt, GenerateDataKey and DescribeKey");
  }
  remember(operation, caller, *input);
  const Key* const key = find(input->key_id, caller.region);
  const std::string name = key != nullptr ? key->arn : input->key_id;
  const auto fault = faults.take(name, operation);
  never_answer = fault == FaultKind::timeout;
  if (fault) {
    if (auto refusal = refusal_of(*fault, name, operation, "arn:aws:iam::000000000000:user/" + caller.access_key_id)) {
      return {std::move(refusal), {}};
    }
  }
  if (key == nullptr && (operation != "Decrypt" || !input->key_id.empty())) {
    return input->key_id.empty() ? invalid("KeyId is missing")
                                 : refuse("NotFoundException", "Key '" + name + "' does not exist in " + caller.region);
  }
  if (fault == FaultKind::garbled) {
    return {std::nullopt, "<html><body>502 Bad Gateway</body></html>"};
  }
  Outcome out = operation == "Decrypt"       ? decrypt(key, *input, caller.region, fault == FaultKind::corrupted)
                : operation == "Encrypt"     ? encrypt(*key, *input)
                : operation == "DescribeKey" ? describe(*key)
                                             : generate(*key, *input);
  if (fault == FaultKind::wrong_key) {
    name_another_key(out.body, name);
  }
  return out;
}

// The same answer, in the name of a key of the same length.
void Operations::name_another_key(std::string& body, const std::string& arn) {
  const std::size_t at = body.find(arn);
  if (!arn.empty() && at != std::string::npos) {
    char& last = body[at + arn.size() - 1];
    last = last == '0' ? '1' : '0';
  }
}

Result<std::string> Operations::blob_of(const Key& key, const Input& input, const SecretBytes& plaintext) {
  CC_ASSIGN(const Bytes wrapped, material_.wrap(key.local, input.context, plaintext));
  Bytes blob;
  append(blob, bytes_of(kMagic));
  append(blob, bytes_of(std::string_view(key.local).substr(std::string_view("local://").size())));
  append(blob, wrapped);
  return to_base64(blob);
}

Outcome Operations::encrypt(const Key& key, const Input& input) {
  if (input.plaintext.empty() || input.plaintext.size() > aws::kMaxKmsPlaintext) {
    return invalid("Plaintext must hold 1 to 4096 bytes");
  }
  const auto blob = blob_of(key, input, input.plaintext);
  if (!blob) {
    return refuse("KMSInternalException", blob.error().message, 500);
  }
  return {std::nullopt, "{\"CiphertextBlob\":\"" + *blob + "\",\"KeyId\":" + http::json_string(key.arn) +
                            ",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}"};
}

Outcome Operations::decrypt(const Key* named, const Input& input, const std::string& region, bool corrupt) {
  if (input.blob.empty() || input.blob.size() > aws::kMaxKmsCiphertext) {
    return invalid("CiphertextBlob must hold 1 to 6144 bytes");
  }
  const Key* const own = of_blob(input.blob, region);
  if (own == nullptr) {
    return refuse("InvalidCiphertextException", "");
  }
  if (named != nullptr && named != own) {
    return refuse("IncorrectKeyException",
                  "The key ID in the request does not identify a CMK that can perform this operation.");
  }
  auto opened = material_.unwrap(own->local, input.context, ByteView(input.blob).subspan(kMagic.size() + kNameSize));
  if (!opened) {
    return refuse("InvalidCiphertextException", "");
  }
  if (corrupt) {
    expose_secret_bytes(*opened)[opened->size() / 2] ^= 1;
  }
  std::string text = to_base64(expose_secret_bytes(*opened));
  Outcome out;
  out.body.reserve(text.size() + 256);
  out.body.append("{\"KeyId\":").append(http::json_string(own->arn)).append(",\"Plaintext\":\"").append(text);
  out.body.append("\",\"EncryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}");
  wipe(text);
  return out;
}

Outcome Operations::generate(const Key& key, const Input& input) {
  const bool by_spec = !input.key_spec.empty();
  if (by_spec == (input.number_of_bytes != 0)) {
    return invalid("give KeySpec or NumberOfBytes, not both");
  }
  const std::int64_t size = !by_spec                      ? input.number_of_bytes
                            : input.key_spec == "AES_256" ? 32
                            : input.key_spec == "AES_128" ? 16
                                                          : 0;
  if (size < 1 || size > 1024) {
    return invalid("KeySpec must be AES_256 or AES_128, NumberOfBytes 1 to 1024");
  }
  SecretBytes plaintext(static_cast<std::size_t>(size));
  random_.fill(expose_secret_bytes(plaintext));
  const auto blob = blob_of(key, input, plaintext);
  if (!blob) {
    return refuse("KMSInternalException", blob.error().message, 500);
  }
  std::string text = to_base64(expose_secret_bytes(plaintext));
  Outcome out;
  out.body.reserve(text.size() + blob->size() + 256);
  out.body.append("{\"CiphertextBlob\":\"").append(*blob).append("\",\"KeyId\":").append(http::json_string(key.arn));
  out.body.append(",\"Plaintext\":\"").append(text).append("\"}");
  wipe(text);
  return out;
}

Outcome Operations::describe(const Key& key) {
  const bool multi = key.id.starts_with("mrk-");
  return {std::nullopt,
          "{\"KeyMetadata\":{\"AWSAccountId\":\"" + key.account + "\",\"Arn\":" + http::json_string(key.arn) +
              ",\"CreationDate\":1.0E9,\"CustomerMasterKeySpec\":\"SYMMETRIC_DEFAULT\",\"Description\":\"dev-kms\","
              "\"Enabled\":true,\"EncryptionAlgorithms\":[\"SYMMETRIC_DEFAULT\"],\"KeyId\":" +
              http::json_string(key.id) +
              ",\"KeyManager\":\"CUSTOMER\",\"KeySpec\":\"SYMMETRIC_DEFAULT\","
              "\"KeyState\":\"Enabled\",\"KeyUsage\":\"ENCRYPT_DECRYPT\",\"MultiRegion\":" +
              (multi ? "true" : "false") + ",\"Origin\":\"AWS_KMS\"}}"};
}

}  // namespace cc::devkms
