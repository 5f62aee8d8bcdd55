// dev-kms: AWS KMS on loopback, for development and tests.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "app/command.h"
#include "app/stop_signals.h"
#include "base/random.h"
#include "devkms/server.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct DevKmsOptions {
  std::string data_dir;
  std::string port = "4599";
  std::vector<std::string> keys;
  bool allow_faults = false;
};

Result<void> run_dev_kms(const DevKmsOptions& options) {
  StopSignals signals;
  SystemClock clock;
  SystemRandom random;
  CC_ASSIGN(const std::uint64_t port, parse_count(options.port, "--port", 65535));
  CC_ASSIGN(const auto server, devkms::Server::start({options.data_dir, static_cast<std::uint16_t>(port), options.keys,
                                                      options.allow_faults},
                                                     clock, random));
  json::array keys;
  for (const std::string& key : options.keys) {
    keys.emplace_back(key);
  }
  print_reply(json::object{{"endpoint", "http://127.0.0.1:" + std::to_string(server->port())},
                           {"credentials_file", server->credentials_file()},
                           {"keys", std::move(keys)}},
              "json");
  advise("For development only. Point clients at it with AWS_ENDPOINT_URL_KMS and AWS_SHARED_CREDENTIALS_FILE.");
  signals.wait();
  return {};
}

}  // namespace

void add_dev_kms_command(CLI::App& root, Chosen& chosen) {
  const auto options = std::make_shared<DevKmsOptions>();
  CLI::App* command = add_command(root, chosen, "dev-kms",
                                  "Serve AWS KMS's Encrypt, Decrypt, GenerateDataKey and DescribeKey on 127.0.0.1, for "
                                  "development and tests",
                                  options, &run_dev_kms);
  command->add_option("--data-dir", options->data_dir, "Where its keys and its credentials file lie")->required();
  command->add_option("--port", options->port, "Port; 0 takes any free one")->capture_default_str();
  command->add_option("--key", options->keys, "ARN of a key to serve, made when missing; may be given many times");
  command->add_flag("--allow-faults", options->allow_faults,
                    "Let anybody on this machine plant faults (POST /dev-kms/faults)");
}

}  // namespace cc::app
