// keys deposit-data and keys exit: documents for the deposit launchpad and for a beacon node, signed by a running
// signer through its signing endpoint. The roots are computed here, and every signature is checked before it is
// printed.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "app/command_keys.h"
#include "crypto/bls.h"
#include "ethereum/deposit.h"
#include "ethereum/network.h"

namespace cc::app {
namespace {

namespace json = boost::json;

// The shape of deposit_data JSON; the launchpad refuses older ones.
constexpr std::string_view kDepositCliVersion = "2.7.0";
constexpr std::uint64_t kEther = 1'000'000'000;  // Gwei
constexpr std::uint64_t kMostGwei = 2048 * kEther;

template <class Out>
Result<void> read_hex(const std::string& text, Out& out, const std::string& what) {
  return from_hex_exact(text, out) ? Result<void>() : Result<void>(fail(ErrorKind::usage, what));
}

Result<std::vector<BlsPublicKey>> read_keys(const std::vector<std::string>& texts) {
  std::vector<BlsPublicKey> out;
  for (const std::string& text : texts) {
    BlsPublicKey key{};
    CC_TRY(read_hex(text, key, text + " is no public key: 96 hexadecimal digits, with or without 0x"));
    out.push_back(key);
  }
  return out;
}

// Asks for a signature, which is good only if it is one of this key over the root computed here.
Result<BlsSignature> sign_remotely(const SignerClient& client, const SecretBytes& token, const BlsPublicKey& key,
                                   const json::object& request, const Root& signing_root) {
  CC_ASSIGN(const json::value reply,
            client.call("POST", "/api/v1/eth2/sign/" + to_0x(key), token, json::serialize(request)));
  const json::object* object = reply.if_object();
  const json::value* text = object == nullptr ? nullptr : object->if_contains("signature");
  BlsSignature signature{};
  if (text == nullptr || !text->is_string() || !from_hex_exact(std::string(text->as_string()), signature)) {
    return fail(ErrorKind::internal, "the signer's reply has no signature");
  }
  if (!crypto::verify(key, signing_root, signature)) {
    return fail(ErrorKind::internal, "the signature of " + to_0x(key) +
                                         " is not one over the message that was asked for; nothing was printed: do "
                                         "signer and command agree on the network?");
  }
  return signature;
}

struct DepositOptions {
  SignerOptions signer;
  std::string network = "mainnet";
  std::string withdrawal_address, withdrawal_credentials;
  std::string amount_gwei = "32000000000";
  bool compounding = false;
  std::vector<std::string> public_keys;
};

Result<Root> credentials_of(const DepositOptions& options) {
  if (options.withdrawal_address.empty() == options.withdrawal_credentials.empty()) {
    return fail(ErrorKind::usage, "give either --withdrawal-address or --withdrawal-credentials");
  }
  Root out{};
  if (!options.withdrawal_credentials.empty()) {
    CC_TRY(read_hex(options.withdrawal_credentials, out, "--withdrawal-credentials are 64 hexadecimal digits"));
    if (options.compounding) {
      return fail(ErrorKind::usage, "--compounding goes with --withdrawal-address");
    }
    return out;
  }
  std::array<std::uint8_t, 20> address{};
  CC_TRY(read_hex(options.withdrawal_address, address, "--withdrawal-address is 40 hexadecimal digits"));
  return ethereum::withdrawal_credentials(options.compounding ? 2 : 1, address);
}

json::object deposit_entry(const ethereum::DepositMessage& message, const BlsSignature& signature,
                           const ethereum::Network& network) {
  return json::object{{"pubkey", to_hex(message.pubkey)},
                      {"withdrawal_credentials", to_hex(message.withdrawal_credentials)},
                      {"amount", message.amount},
                      {"signature", to_hex(signature)},
                      {"deposit_message_root", to_hex(ethereum::deposit_message_root(message))},
                      {"deposit_data_root", to_hex(ethereum::deposit_data_root(message, signature))},
                      {"fork_version", to_hex(network.genesis_fork_version())},
                      {"network_name", network.name},
                      {"deposit_cli_version", kDepositCliVersion}};
}

Result<void> run_deposit_data(const DepositOptions& options) {
  CC_ASSIGN(const ethereum::Network network, ethereum::load_network(options.network));
  CC_ASSIGN(const Root credentials, credentials_of(options));
  CC_ASSIGN(const std::uint64_t amount, parse_count(options.amount_gwei, "--amount-gwei", kMostGwei));
  if (amount < kEther) {
    return fail(ErrorKind::usage, "--amount-gwei is at least 1000000000 (1 ether), as the deposit contract demands");
  }
  CC_ASSIGN(const std::vector<BlsPublicKey> keys, read_keys(options.public_keys));
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  json::array out;
  for (const BlsPublicKey& key : keys) {
    const ethereum::DepositMessage message{key, credentials, amount};
    const json::object request{
        {"type", "DEPOSIT"},
        {"deposit", json::object{{"pubkey", to_0x(key)},
                                 {"withdrawal_credentials", to_0x(credentials)},
                                 {"amount", std::to_string(amount)},
                                 {"genesis_fork_version", to_0x(network.genesis_fork_version())}}}};
    CC_ASSIGN(const BlsSignature signature,
              sign_remotely(client, token, key, request,
                            ethereum::deposit_signing_root(message, network.genesis_fork_version())));
    out.push_back(deposit_entry(message, signature, network));
  }
  print_reply(out, options.signer.output);
  advise("Withdrawals of these validators go to 0x" + to_hex(credentials) +
         " for good: check it before you deposit. Deposit once per key.");
  return {};
}

struct ExitOptions {
  SignerOptions signer;
  std::string network = "mainnet";
  std::string genesis_root;
  std::string epoch, validator_index;
  std::string public_key;
};

Result<Root> genesis_root_of(const ExitOptions& options, const ethereum::Network& network) {
  Root out{};
  if (!options.genesis_root.empty()) {
    CC_TRY(read_hex(options.genesis_root, out, "--network-genesis-root is 64 hexadecimal digits"));
    return out;
  }
  if (!network.genesis_validators_root) {
    return fail(ErrorKind::usage,
                "this network's genesis validators root is not known here: give --network-genesis-root");
  }
  return *network.genesis_validators_root;
}

Result<void> run_exit(const ExitOptions& options) {
  CC_ASSIGN(const ethereum::Network network, ethereum::load_network(options.network));
  CC_ASSIGN(const Root genesis_root, genesis_root_of(options, network));
  const auto& capella = network.versions.at(static_cast<std::size_t>(ethereum::Fork::capella));
  if (!capella) {
    return fail(ErrorKind::usage, "this network has no Capella fork, under whose version exits are signed (EIP-7044)");
  }
  CC_ASSIGN(const std::uint64_t epoch, parse_count(options.epoch, "--epoch", UINT64_MAX));
  CC_ASSIGN(const std::uint64_t index, parse_count(options.validator_index, "--validator-index", UINT64_MAX));
  CC_ASSIGN(const std::vector<BlsPublicKey> keys, read_keys({options.public_key}));
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const json::object message{{"epoch", std::to_string(epoch)}, {"validator_index", std::to_string(index)}};
  const json::object fork{{"previous_version", to_0x(*capella)}, {"current_version", to_0x(*capella)}, {"epoch", "0"}};
  const json::object request{
      {"type", "VOLUNTARY_EXIT"},
      {"fork_info", json::object{{"fork", fork}, {"genesis_validators_root", to_0x(genesis_root)}}},
      {"voluntary_exit", message}};
  CC_ASSIGN(const BlsSignature signature,
            sign_remotely(client, token, keys.front(), request,
                          ethereum::exit_signing_root({epoch}, index, *capella, genesis_root)));
  print_reply(json::object{{"message", message}, {"signature", to_0x(signature)}}, options.signer.output);
  advise(
      "An exit cannot be taken back once a beacon node has it (POST /eth/v1/beacon/pool/voluntary_exits), and this "
      "one stays good for ever: keep it secret until you mean it. The signer does not know which index is this "
      "key's: compare it with your beacon node.");
  return {};
}

}  // namespace

void add_keys_deposit_commands(CLI::App& group, Chosen& chosen) {
  const auto deposit = std::make_shared<DepositOptions>();
  CLI::App* command = add_command(group, chosen, "deposit-data", "Signed deposit data for the launchpad, as its JSON",
                                  deposit, &run_deposit_data);
  add_signer_options(*command, deposit->signer);
  add_auth_option(*command, deposit->signer);
  command->add_option("--network", deposit->network, "A public network's name, or a config.yaml")
      ->capture_default_str();
  command->add_option("--withdrawal-address", deposit->withdrawal_address, "Where withdrawals go (0x…)");
  command->add_option("--withdrawal-credentials", deposit->withdrawal_credentials, "The same, as all 32 bytes");
  command->add_flag("--compounding", deposit->compounding, "Credentials of type 0x02 (EIP-7251) instead of 0x01");
  command->add_option("--amount-gwei", deposit->amount_gwei, "The deposit in Gwei")->capture_default_str();
  command->add_option("pubkeys", deposit->public_keys, "Public keys (0x…)")->required();

  const auto leave = std::make_shared<ExitOptions>();
  command = add_command(group, chosen, "exit", "A signed voluntary exit, for a beacon node", leave, &run_exit);
  add_signer_options(*command, leave->signer);
  add_auth_option(*command, leave->signer);
  command->add_option("--network", leave->network, "A public network's name, or a config.yaml")->capture_default_str();
  command->add_option("--network-genesis-root", leave->genesis_root,
                      "Genesis validators root, of a network of your own");
  command->add_option("--epoch", leave->epoch, "The first epoch in which the exit is good")->required();
  command->add_option("--validator-index", leave->validator_index, "The validator's index on the beacon chain")
      ->required();
  command->add_option("pubkey", leave->public_key, "Public key (0x…)")->required();
}

}  // namespace cc::app
