#include "support/software_authenticator.h"

#include <fido.h>
#include <openssl/rand.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "adapters/tokens/errors.h"
#include "base/bytes.h"
#include "support/ctap_parts.h"

namespace cc::test {
namespace {

using namespace ctap;  // NOLINT(google-build-using-namespace): the two files are one text

// CTAP status codes.
constexpr std::uint8_t kOk = 0x00, kInvalidCommand = 0x01, kMissing = 0x14, kNoCredentials = 0x2E, kDenied = 0x27,
                       kTimeout = 0x2F, kPinInvalid = 0x31, kPinBlocked = 0x32, kPinAuthInvalid = 0x33,
                       kPinNotSet = 0x35, kPinRequired = 0x36, kUnsupportedAlgorithm = 0x26;
constexpr std::uint8_t kUserPresent = 0x01, kUserVerified = 0x04, kAttested = 0x40, kExtended = 0x80;

// ---- the key
struct Answer {
  std::uint8_t status = kOk;
  Bytes body{};
};

class Authenticator {
 public:
  explicit Authenticator(std::string path) : path_(std::move(path)) {
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
      state_[line.substr(0, line.find('='))] = line.substr(std::min(line.find('=') + 1, line.size()));
    }
    seed_ = from_hex(state_["seed"]).value_or(Bytes());
    token_ = Bytes(32);
    ::RAND_bytes(token_.data(), 32);
  }

  // One message of the transport; nothing when the key is gone.
  std::optional<Bytes> answer(std::uint8_t command, ByteView message) {
    if (command == CTAP_CMD_INIT) {
      return Bytes(message.begin(), message.end()) + Bytes{0, 0, 0, 1, 2, 1, 0, 0, FIDO_CAP_CBOR | FIDO_CAP_NMSG};
    }
    if (command != CTAP_CMD_CBOR || message.empty()) {
      return Bytes{kInvalidCommand};
    }
    const Question question(message.subspan(1));
    const Answer out = dispatch(message[0], question.root());
    return gone_ ? std::nullopt : std::optional(Bytes{out.status} + out.body);
  }

 private:
  Answer dispatch(std::uint8_t command, const Item& question) {
    switch (command) {
      case CTAP_CBOR_GETINFO:
        return info();
      case CTAP_CBOR_CLIENT_PIN:
        return client_pin(question);
      case CTAP_CBOR_MAKECRED:
        return make_credential(question);
      case CTAP_CBOR_ASSERT:
        return assertion(question);
      default:
        return {kInvalidCommand};
    }
  }

  bool has_pin() const { return state_.contains("pin"); }
  bool knows_hmac_secret() const { return !state_.contains("extensions") || state_.at("extensions") == "hmac-secret"; }
  void save() const {
    std::ofstream out(path_);
    for (const auto& [name, value] : state_) {
      out << name << "=" << value << "\n";
    }
  }
  int count(const std::string& name, int otherwise) const {
    return state_.contains(name) ? std::stoi(state_.at(name)) : otherwise;
  }

  Answer info() const {
    return {
        kOk,
        map({{uint(1), list({text("FIDO_2_0")})},
             {uint(2), list(knows_hmac_secret() ? std::vector<Bytes>{text("hmac-secret")} : std::vector<Bytes>())},
             {uint(3), bytes(Bytes(16, 0x5C))},
             {uint(4),
              map({{text("rk"), boolean(true)}, {text("up"), boolean(true)}, {text("clientPin"), boolean(has_pin())}})},
             {uint(5), uint(1200)},
             {uint(6), list({uint(1)})}})};
  }

  Bytes shared_with(const Item& their_key) const {
    const Key theirs = public_key(their_key.at(-2).data(), their_key.at(-3).data());
    return theirs == nullptr ? Bytes(32) : shared_key(agreement_, theirs);
  }

  Answer client_pin(const Item& question) {
    switch (question.at(2).number()) {
      case 1:  // getPINRetries
        return {kOk, map({{uint(3), uint(static_cast<std::uint64_t>(count("tries", 8)))}})};
      case 2:  // getKeyAgreement
        return {kOk, map({{uint(1), cose(agreement_, 25)}})};
      case 5:  // getPINToken
        return pin_token(question);
      default:
        return {kInvalidCommand};
    }
  }
  Answer pin_token(const Item& question) {
    if (!has_pin()) {
      return {kPinNotSet};
    }
    if (count("tries", 8) == 0) {
      return {kPinBlocked};
    }
    const Bytes shared = shared_with(question.at(3));
    const Bytes given = aes_cbc(shared, question.at(6).data(), false);
    const bool right = given == first(sha256(bytes_of(state_.at("pin"))), 16);
    state_["tries"] = std::to_string(right ? 8 : count("tries", 8) - 1);
    save();
    if (!right) {
      agreement_ = fresh_key();
      return {count("tries", 8) == 0 ? kPinBlocked : kPinInvalid};
    }
    return {kOk, map({{uint(2), bytes(aes_cbc(shared, token_, true))}})};
  }
  // The status to refuse with, and whether the user was verified.
  std::pair<std::uint8_t, bool> verified(const Item& pin_auth, const Item& client_data_hash) const {
    if (!pin_auth.there()) {
      return {kOk, false};
    }
    const bool right = pin_auth.data() == first(hmac(token_, client_data_hash.data()), 16);
    return {right ? kOk : kPinAuthInvalid, right};
  }
  std::uint8_t touch() {
    const std::string behaviour = state_.contains("behaviour") ? state_.at("behaviour") : "works";
    gone_ = behaviour == "pulled-out";
    if (behaviour == "denied") {
      return kDenied;
    }
    if (behaviour == "not-touched") {
      return kTimeout;
    }
    state_["touches"] = std::to_string(count("touches", 0) + 1);
    save();
    return kOk;
  }

  // A credential id is a nonce and a tag over it and the relying party: nothing has to be stored.
  Bytes tag(ByteView nonce, ByteView rp_hash) const { return hmac(seed_, Bytes(nonce.begin(), nonce.end()) + rp_hash); }
  bool is_mine(const Bytes& id, ByteView rp_hash) const {
    return id.size() == 64 && Bytes(id.begin() + 32, id.end()) == tag(ByteView(id).first(32), rp_hash);
  }

  Answer make_credential(const Item& question) {
    bool es256 = false;
    for (const Item& one : question.at(4).items()) {
      // alg -7 is ES256: the only one here.
      es256 = es256 || one.at("type").words() == "public-key";
    }
    if (!es256) {
      return {kUnsupportedAlgorithm};
    }
    const auto [refused, verification] = verified(question.at(8), question.at(1));
    if (refused != kOk) {
      return {refused};
    }
    if (has_pin() && !verification) {
      return {kPinRequired};
    }
    if (const std::uint8_t status = touch(); status != kOk) {
      return {status};
    }
    const Bytes rp_hash = sha256(bytes_of(question.at(2).at("id").words()));
    Bytes nonce(32);
    ::RAND_bytes(nonce.data(), 32);
    const Bytes id = nonce + tag(nonce, rp_hash);
    const Key key = fresh_key();
    const bool hmac_secret = question.at(6).at("hmac-secret").there() && knows_hmac_secret();
    const auto flags = static_cast<std::uint8_t>(kUserPresent | kAttested | (verification ? kUserVerified : 0) |
                                                 (hmac_secret ? kExtended : 0));
    Bytes data = rp_hash + Bytes{flags, 0, 0, 0, 1} + Bytes(16, 0x5C) + Bytes{0, 64} + id + cose(key, 7);
    if (hmac_secret) {
      append(data, map({{text("hmac-secret"), boolean(true)}}));
    }
    const Bytes signature = sign(key, data + question.at(1).data());
    return {kOk, map({{uint(1), text("packed")},
                      {uint(2), bytes(data)},
                      {uint(3), map({{text("alg"), negative(7)}, {text("sig"), bytes(signature)}})}})};
  }

  Answer assertion(const Item& question) {
    const Bytes rp_hash = sha256(bytes_of(question.at(1).words()));
    Bytes id;
    for (const Item& one : question.at(3).items()) {
      if (id.empty() && is_mine(one.at("id").data(), rp_hash)) {
        id = one.at("id").data();
      }
    }
    if (id.empty()) {
      return {kNoCredentials};
    }
    const auto [refused, verification] = verified(question.at(6), question.at(2));
    if (refused != kOk) {
      return {refused};
    }
    const bool silent = question.at(5).at("up").is_false();
    if (!silent) {
      if (const std::uint8_t status = touch(); status != kOk) {
        return {status};
      }
    }
    const Item extension = question.at(4).at("hmac-secret");
    Bytes outputs;
    if (extension.there()) {
      if (silent) {
        return {kMissing};
      }
      const Bytes shared = shared_with(extension.at(1));
      const Bytes salt = extension.at(2).data();
      if (extension.at(3).data() != first(hmac(shared, salt), 16) || salt.size() != 32) {
        return {kPinAuthInvalid};
      }
      const Bytes secret = hmac(seed_, Bytes{static_cast<std::uint8_t>(verification ? 1 : 0)} + id);
      outputs = map({{text("hmac-secret"), bytes(aes_cbc(shared, hmac(secret, aes_cbc(shared, salt, false)), true))}});
    }
    const auto flags = static_cast<std::uint8_t>((silent ? 0 : kUserPresent) | (verification ? kUserVerified : 0) |
                                                 (outputs.empty() ? 0 : kExtended));
    const Bytes data = rp_hash + Bytes{flags, 0, 0, 0, 2} + outputs;
    const Key key = fresh_key();  // nobody checks this signature: the product uses the secret alone
    return {kOk, map({{uint(1), map({{text("id"), bytes(id)}, {text("type"), text("public-key")}})},
                      {uint(2), bytes(data)},
                      {uint(3), bytes(sign(key, data + question.at(2).data()))}})};
  }

  std::string path_;
  std::map<std::string, std::string> state_;
  Bytes seed_;
  Bytes token_;
  Key agreement_ = fresh_key();
  bool gone_ = false;
};

// ---- behind libfido2's hooks
struct Link {
  Authenticator key;
  std::optional<Bytes> waiting{};
};

void* open_link(const char* path) { return std::filesystem::exists(path) ? new Link{Authenticator(path)} : nullptr; }
void close_link(void* link) { delete static_cast<Link*>(link); }
int no_read(void*, unsigned char*, std::size_t, int) { return -1; }
int no_write(void*, const unsigned char*, std::size_t) { return -1; }
int send_message(struct fido_dev* device, std::uint8_t command, const unsigned char* data, std::size_t size) {
  auto* link = static_cast<Link*>(::fido_dev_io_handle(device));
  link->waiting = link->key.answer(command, ByteView(data, size));
  return 0;
}
int receive_message(struct fido_dev* device, std::uint8_t, unsigned char* out, std::size_t room, int) {
  auto* link = static_cast<Link*>(::fido_dev_io_handle(device));
  if (!link->waiting || link->waiting->size() > room) {
    return -1;
  }
  std::ranges::copy(*link->waiting, out);
  return static_cast<int>(std::exchange(link->waiting, std::nullopt)->size());
}

class SoftwareDevices final : public tokens::Fido2Devices {
 public:
  explicit SoftwareDevices(std::string folder) : folder_(std::move(folder)) { ::fido_init(FIDO_DISABLE_U2F_FALLBACK); }
  Result<std::vector<Found>> list() override {
    std::vector<Found> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() == ".key") {
        out.push_back({entry.path().string(), "software key"});
      }
    }
    std::ranges::sort(out, {}, &Found::path);
    return out;
  }
  Result<tokens::Fido2Device> open(const std::string& path) override {
    fido_dev_t* device = ::fido_dev_new();
    const fido_dev_io_t io{&open_link, &close_link, &no_read, &no_write};
    const fido_dev_transport_t transport{&receive_message, &send_message};
    int code = ::fido_dev_set_io_functions(device, &io);
    code = code != FIDO_OK ? code : ::fido_dev_set_transport_functions(device, &transport);
    code = code != FIDO_OK ? code : ::fido_dev_open(device, path.c_str());
    if (code != FIDO_OK) {
      ::fido_dev_free(&device);
      return fail(tokens::kNotThere, path + " cannot be opened: " + ::fido_strerr(code));
    }
    return tokens::Fido2Device(device);
  }

 private:
  std::string folder_;
};

}  // namespace

void write_authenticator(const std::string& path, const std::string& seed_hex, const std::string& more) {
  std::ofstream(path) << "seed=" << seed_hex << "\n" << more;
}

std::unique_ptr<tokens::Fido2Devices> software_authenticators(const std::string& folder) {
  return std::make_unique<SoftwareDevices>(folder);
}

}  // namespace cc::test
