#include "adapters/aws/kms.h"

#include "adapters/aws/json_answer.h"
#include "http/json_text.h"
#include "seal/kek_name.h"

namespace cc::aws {
namespace {

// One JSON object, written member by member into text of a size reserved before, so that no copy stays behind.
class Body {
 public:
  explicit Body(std::size_t reserve) { text_.reserve(reserve); }
  void add(std::string_view name, const std::string& json) {
    text_ += text_.empty() ? "{" : ",";
    text_.append("\"").append(name).append("\":").append(json);
  }
  void add_context(const seal::KekContext& context) {
    std::string out;
    for (const auto& [name, value] : context) {
      out += (out.empty() ? "{" : ",") + http::json_string(name) + ":" + http::json_string(value);
    }
    if (!out.empty()) {
      add("EncryptionContext", out + "}");
    }
  }
  void add_base64(std::string_view name, ByteView bytes) {
    std::string encoded = to_base64(bytes);
    text_ += text_.empty() ? "{" : ",";
    text_.append("\"").append(name).append("\":\"").append(encoded).append("\"");
    wipe(encoded);
  }
  std::string& finish() {
    text_ += "}";
    return text_;
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;
  ~Body() { wipe(text_); }

 private:
  std::string text_;
};

constexpr std::size_t kBodyReserve = 16UL * 1024;

tl::unexpected<Error> unreadable(const std::string& what) {
  return fail(ErrorKind::kms_mismatch, "the answer of AWS KMS " + what);
}

Result<JsonAnswer> parse_answer(const HttpAnswer& answer) {
  auto parsed = JsonAnswer::parse(answer.body);
  // A network in between is never called a wrong key.
  return parsed
             ? std::move(parsed)
             : fail(ErrorKind::kms_unreachable,
                    "this is no answer of AWS KMS's (it is not JSON): check the endpoint and what stands in between");
}

Result<void> same_key(const JsonAnswer& answer, const KeyArn& key) {
  const std::string named = answer.text("KeyId").value_or("");
  return named == key.text ? Result<void>() : Result<void>(unreadable("is about another key than the one asked for"));
}

Result<Bytes> ciphertext_of(const JsonAnswer& answer) {
  const auto bytes = from_base64(answer.text("CiphertextBlob").value_or(""));
  if (!bytes || bytes->empty() || bytes->size() > kMaxKmsCiphertext) {
    return unreadable("has no readable CiphertextBlob");
  }
  return *bytes;
}

Result<SecretBytes> plaintext_of(const JsonAnswer& answer) {
  const auto text = answer.secret("Plaintext");
  auto bytes = text ? secret_from_base64(*text) : fail(ErrorKind::kms_mismatch, "");
  return bytes && !bytes->empty() ? std::move(bytes) : unreadable("has no readable Plaintext");
}

}  // namespace

Result<KeyArn> KeyArn::parse(const std::string& text) {
  CC_ASSIGN(const seal::KekName name, seal::parse_kek_name(text));
  if (name.scheme != seal::KekScheme::aws) {
    return fail(ErrorKind::kek_name_invalid,
                "invalid KMS ARN: expected arn:aws:kms:<region>:<account-id>:key/<key-id>");
  }
  std::vector<std::string> parts;
  for (std::size_t from = 0; parts.size() < 5; from = text.find(':', from) + 1) {
    parts.push_back(text.substr(from, text.find(':', from) - from));
  }
  return KeyArn{text, parts[3], parts[4]};
}

Result<HttpAnswer> Kms::call(const KeyArn& key, const std::string& operation, std::string& body) {
  ServiceCall call{"kms", key.region, "kms:" + operation, "application/x-amz-json-1.1", "TrentService." + operation,
                   {}};
  call.body.swap(body);
  auto answer = client_.call(call, &credentials_);
  wipe(call.body);
  return answer;
}

Result<Bytes> Kms::encrypt(const KeyArn& key, const seal::KekContext& context, const SecretBytes& plaintext) {
  if (plaintext.empty() || plaintext.size() > kMaxKmsPlaintext) {
    return fail(ErrorKind::internal, "AWS KMS encrypts 1 to 4096 bytes");
  }
  Body body(kBodyReserve);
  body.add("KeyId", http::json_string(key.text));
  body.add_context(context);
  body.add_base64("Plaintext", expose_secret_bytes(plaintext));
  CC_ASSIGN(const HttpAnswer answer, call(key, "Encrypt", body.finish()));
  CC_ASSIGN(const JsonAnswer json, parse_answer(answer));
  CC_TRY(same_key(json, key));
  return ciphertext_of(json);
}

Result<SecretBytes> Kms::decrypt(const KeyArn& key, const seal::KekContext& context, ByteView ciphertext) {
  if (ciphertext.empty() || ciphertext.size() > kMaxKmsCiphertext) {
    return fail(ErrorKind::kms_mismatch, "this share was not wrapped by AWS KMS");
  }
  Body body(kBodyReserve);
  body.add("KeyId", http::json_string(key.text));
  body.add_context(context);
  body.add_base64("CiphertextBlob", ciphertext);
  CC_ASSIGN(const HttpAnswer answer, call(key, "Decrypt", body.finish()));
  CC_ASSIGN(const JsonAnswer json, parse_answer(answer));
  CC_TRY(same_key(json, key));
  return plaintext_of(json);
}

Result<DataKey> Kms::generate_data_key(const KeyArn& key, const seal::KekContext& context) {
  Body body(kBodyReserve);
  body.add("KeyId", http::json_string(key.text));
  body.add_context(context);
  body.add("KeySpec", "\"AES_256\"");
  CC_ASSIGN(const HttpAnswer answer, call(key, "GenerateDataKey", body.finish()));
  CC_ASSIGN(const JsonAnswer json, parse_answer(answer));
  CC_TRY(same_key(json, key));
  DataKey out;
  CC_ASSIGN(out.plaintext, plaintext_of(json));
  CC_ASSIGN(out.ciphertext, ciphertext_of(json));
  return out.plaintext.size() == 32 ? Result<DataKey>(std::move(out)) : unreadable("holds a data key of another size");
}

Result<KeyDescription> Kms::describe_key(const KeyArn& key) {
  Body body(kBodyReserve);
  body.add("KeyId", http::json_string(key.text));
  CC_ASSIGN(const HttpAnswer answer, call(key, "DescribeKey", body.finish()));
  CC_ASSIGN(const JsonAnswer json, parse_answer(answer));
  constexpr std::string_view kInside = "KeyMetadata";
  if (json.text("Arn", kInside).value_or("") != key.text) {
    return unreadable("is about another key than the one asked for");
  }
  return KeyDescription{json.text("KeyState", kInside).value_or(""), json.text("KeyUsage", kInside).value_or(""),
                        json.text("KeySpec", kInside).value_or("SYMMETRIC_DEFAULT")};
}

}  // namespace cc::aws
