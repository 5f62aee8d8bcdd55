// selftest: known answers of the primitives this machine would use, and how memory for secrets is locked here.
#include <boost/json/object.hpp>

#include "app/command.h"
#include "crypto/aead.h"
#include "crypto/bls.h"
#include "crypto/hash.h"
#include "crypto/password.h"
#include "crypto/shamir.h"

namespace cc::app {
namespace {

namespace json = boost::json;

Bytes hex(std::string_view text) { return from_hex(text).value_or(Bytes{}); }

// FIPS 180-4 example "abc".
bool sha256_holds() {
  return to_hex(crypto::sha256(bytes_of("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}

// RFC 5869 test case 1, the first 32 bytes.
bool hkdf_holds() {
  const auto key = crypto::hkdf_sha256(hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                                       hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"));
  return to_hex(expose_secret_bytes(key)) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
}

// The GCM specification's test case 14 (256-bit zero key, one zero block).
bool aes_gcm_holds() {
  const Secret<32> key;
  const Bytes plaintext(16, 0);
  const Bytes sealed = crypto::seal(key, crypto::Nonce{}, {}, plaintext);
  Bytes altered = sealed;
  altered.back() ^= 1;
  return to_hex(sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" &&
         crypto::open(key, crypto::Nonce{}, {}, sealed) && !crypto::open(key, crypto::Nonce{}, {}, altered);
}

// Any two of three shares give the secret back, one alone does not.
bool shamir_holds() {
  SystemRandom random;
  const auto secret = random.secret<32>();
  const auto shares = crypto::split(secret, 2, 3, random);
  if (!shares) {
    return false;
  }
  const auto all = std::span(*shares);
  const auto first = crypto::combine(all.first(2));
  const auto last = crypto::combine(all.last(2));
  return first && last && *first == secret && *last == secret && !crypto::combine(all.first(1));
}

// The interop key 0 of the consensus-layer test networks and its published public key; its signature is verified.
bool bls_holds() {
  const auto key =
      crypto::BlsSecretKey::from_bytes(hex("25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866"));
  if (!key || to_hex(key->public_key()) !=
                  "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4"
                  "bf2d153f649f7b53359fe8b94a38e44c") {
    return false;
  }
  const Root root = crypto::sha256(bytes_of("containment-chamber selftest"));
  Root other = root;
  other[0] ^= 1;
  const BlsSignature signature = key->sign(root);
  return crypto::verify(key->public_key(), root, signature) && !crypto::verify(key->public_key(), other, signature);
}

// Argon2id with the parameters of new credentials: it runs here, and depends on the password.
bool argon2id_runs() {
  const Bytes salt(16, 7);
  const auto first = crypto::argon2id(SecretBytes::copy_of("a passphrase of a selftest"), salt, {});
  const auto again = crypto::argon2id(SecretBytes::copy_of("a passphrase of a selftest"), salt, {});
  const auto other = crypto::argon2id(SecretBytes::copy_of("b passphrase of a selftest"), salt, {});
  return first && again && other && *first == *again && !(*first == *other);
}

struct SelftestOptions {
  std::string output = "json";
  std::string memory_lock = "prefer";
};

Result<LockMode> lock_mode(const std::string& text) {
  for (const LockMode mode : {LockMode::require, LockMode::prefer, LockMode::off}) {
    if (text == name(mode)) {
      return mode;
    }
  }
  return fail(ErrorKind::usage, "--memory-lock must be require, prefer or off");
}

Result<void> run_selftest(const SelftestOptions& options) {
  CC_ASSIGN(const LockMode mode, lock_mode(options.memory_lock));
  CC_TRY(configure_locked_memory(mode));
  json::object checks;
  bool all = true;
  const auto check = [&](std::string_view what, bool holds) {
    checks[what] = holds ? "ok" : "failed";
    all = all && holds;
  };
  check("sha256", sha256_holds());
  check("hkdf_sha256", hkdf_holds());
  check("aes_256_gcm", aes_gcm_holds());
  check("shamir", shamir_holds());
  check("bls12_381", bls_holds());
  check("argon2id", argon2id_runs());
  const LockedMemoryReport memory = locked_memory_report();
  json::object report{{"mode", name(memory.mode)}, {"backing", name(memory.backing)}};
  report["limit_bytes"] = memory.limit_bytes == SIZE_MAX ? json::value(nullptr) : json::value(memory.limit_bytes);
  print_reply(json::object{{"status", all ? "ok" : "failed"}, {"checks", checks}, {"locked_memory", report}},
              options.output);
  return all ? Result<void>() : fail(ErrorKind::internal, "a known answer is wrong on this machine: do not use it");
}

}  // namespace

void add_selftest_command(CLI::App& root, Chosen& chosen) {
  const auto options = std::make_shared<SelftestOptions>();
  CLI::App* command =
      add_command(root, chosen, "selftest", "Check the cryptography and the memory locking of this machine", options,
                  &run_selftest);
  add_output_option(*command, options->output);
  command->add_option("--memory-lock", options->memory_lock, "require, prefer or off")->capture_default_str();
}

}  // namespace cc::app
