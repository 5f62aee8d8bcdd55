// Requests and networks for the tests of this room: vector files, a small attestation, and text surgery.
#pragma once

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "base/bytes.h"
#include "ethereum/sign_request.h"

namespace cc::ethereum::test {

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw std::runtime_error("cannot read " + path);
  }
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::string vector_folder() { return std::string(CC_SOURCE_DIR) + "/tests/vectors/lodestar/"; }
inline boost::json::value read_json(const std::string& name) {
  return boost::json::parse(read_file(vector_folder() + name));
}

inline std::string text_of(const boost::json::value& value) { return std::string(value.as_string()); }

template <std::size_t N>
std::array<std::uint8_t, N> fixed(const boost::json::value& value) {
  std::array<std::uint8_t, N> out{};
  if (!from_hex_exact(text_of(value), out)) {
    throw std::runtime_error("not hexadecimal: " + text_of(value));
  }
  return out;
}

// The network that a synthetic vector file describes in its `config`.
inline Network network_of(const boost::json::value& config) {
  Network out{"vectors", *preset_named(text_of(config.at("preset"))), {}, {}, {}};
  for (std::size_t i = 0; i < kForks; ++i) {
    const boost::json::value& fork = config.at("fork_schedule").at(std::string(name(static_cast<Fork>(i))));
    out.versions[i] = fixed<4>(fork.at("version"));
    out.epochs[i] = Epoch{fork.at("epoch").to_number<std::uint64_t>()};
  }
  out.genesis_validators_root = fixed<32>(config.at("genesis_validators_root"));
  return out;
}

inline Network named(const char* name) { return public_network(name).value(); }

// fork_info of mainnet's Electra.
inline std::string fork_info() {
  return R"("fork_info":{"fork":{"previous_version":"0x04000000","current_version":"0x05000000","epoch":"364032"},)"
         R"("genesis_validators_root":"0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"})";
}
inline std::string root_text(char digit) { return "0x" + std::string(64, digit); }
inline std::string signature_text() { return "0x" + std::string(192, 'a'); }
inline std::string request(const std::string& type, const std::string& payload) {
  return R"({"type":")" + type + "\"," + payload + "," + fork_info() + "}";
}
inline std::string attestation_data(const std::string& slot = R"("12000000")") {
  return R"({"slot":)" + slot + R"(,"index":"3","beacon_block_root":")" + root_text('1') +
         R"(","source":{"epoch":"374999","root":")" + root_text('2') + R"("},"target":{"epoch":"375000","root":")" +
         root_text('3') + "\"}}";
}
inline std::string attestation_request() { return request("ATTESTATION", "\"attestation\":" + attestation_data()); }

// The text with the first `from` replaced; the test fails to build its case when `from` is not there.
inline std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::runtime_error("no " + from + " in " + text);
  }
  return text.replace(at, from.size(), to);
}

}  // namespace cc::ethereum::test
