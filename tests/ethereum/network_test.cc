#include "ethereum/network.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ethereum/requests.h"

namespace cc::ethereum::test {
namespace {

const char* const kConfig = R"(# A devnet
PRESET_BASE: 'minimal'
CONFIG_NAME: 'devnet-7'
GENESIS_FORK_VERSION: 0x10000038
ALTAIR_FORK_VERSION: 0x20000038
ALTAIR_FORK_EPOCH: 0
BELLATRIX_FORK_VERSION: 0x30000038
BELLATRIX_FORK_EPOCH: 10   # a comment
CAPELLA_FORK_VERSION: "0x40000038"
CAPELLA_FORK_EPOCH: 010
DENEB_FORK_VERSION: 0x50000038
DENEB_FORK_EPOCH: 18446744073709551615
TERMINAL_TOTAL_DIFFICULTY: 58750000000000000000000
BLOB_SCHEDULE:
  - EPOCH: 274176
    MAX_BLOBS_PER_BLOCK: 15
)";

std::string message_of(const std::string& yaml) {
  const auto network = parse_network_config(yaml);
  if (!network) {
    EXPECT_EQ(network.error().kind, ErrorKind::config_invalid);
  }
  return network ? "accepted" : network.error().message;
}
std::string with_line(const std::string& from, const std::string& to) { return message_of(with(kConfig, from, to)); }

TEST(NetworkConfig, ReadsPresetVersionsAndEpochs) {
  const auto network = parse_network_config(kConfig);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->name, "devnet-7");
  EXPECT_EQ(network->preset.slots_per_epoch, 8U);
  EXPECT_EQ(network->genesis_fork_version(), (Version{0x10, 0x00, 0x00, 0x38}));
  EXPECT_EQ(network->versions[3], (Version{0x40, 0x00, 0x00, 0x38}));
  EXPECT_EQ(network->epochs[1], Epoch{0});
  EXPECT_EQ(network->epochs[3], Epoch{10});
  EXPECT_FALSE(network->epochs[4]);  // far future
  EXPECT_TRUE(network->versions[4]);
  EXPECT_FALSE(network->versions[5]);  // not in the file
  EXPECT_FALSE(network->epochs[5]);
  EXPECT_FALSE(network->genesis_validators_root);
  EXPECT_EQ(network->fork_at({9}), Fork::altair);
  EXPECT_EQ(network->fork_at({10}), Fork::capella);
  EXPECT_EQ(network->fork_at({~std::uint64_t{0}}), Fork::capella);
  EXPECT_EQ(network->fork_of({0x50, 0x00, 0x00, 0x38}), Fork::deneb);
  EXPECT_FALSE(network->fork_of({0x60, 0x00, 0x00, 0x38}));
}

TEST(NetworkConfig, SaysWhatIsMissingOrWrong) {
  EXPECT_EQ(with_line("PRESET_BASE: 'minimal'", ""),
            "PRESET_BASE is missing; add PRESET_BASE: mainnet, minimal or gnosis");
  EXPECT_EQ(with_line("'minimal'", "lukso"), "line 2: PRESET_BASE: expected mainnet, minimal or gnosis");
  EXPECT_EQ(with_line("GENESIS_FORK_VERSION", "GENESIS_VERSION"), "GENESIS_FORK_VERSION is missing");
  EXPECT_EQ(with_line("0x20000038", "0x200000"),
            "line 5: ALTAIR_FORK_VERSION: expected 4 bytes of hexadecimal such as 0x00000000");
  EXPECT_EQ(with_line("0x20000038", "536870968"),
            "line 5: ALTAIR_FORK_VERSION: expected 4 bytes of hexadecimal such as 0x00000000");
  EXPECT_EQ(with_line("ALTAIR_FORK_VERSION", "ALTAIR_VERSION"),
            "line 6: ALTAIR_FORK_VERSION is missing, though ALTAIR_FORK_EPOCH is set");
  EXPECT_EQ(with_line("BELLATRIX_FORK_EPOCH: 10", "BELLATRIX_FORK_EPOCH: ten"),
            "line 8: BELLATRIX_FORK_EPOCH: expected an unsigned integer in decimal digits");
  for (const char* odd : {"-1", "1.5", "0x10", "18446744073709551616", "", "[10]", "~"}) {
    EXPECT_NE(with_line("BELLATRIX_FORK_EPOCH: 10", std::string("BELLATRIX_FORK_EPOCH: ") + odd), "accepted") << odd;
  }
  EXPECT_EQ(with_line("BELLATRIX_FORK_EPOCH: 10", "BELLATRIX_FORK_EPOCH: 11"),
            "line 10: CAPELLA_FORK_EPOCH: BELLATRIX must be scheduled at the same epoch or earlier");
  EXPECT_EQ(with_line("ALTAIR_FORK_EPOCH: 0", ""),
            "line 8: BELLATRIX_FORK_EPOCH: ALTAIR must be scheduled at the same epoch or earlier");
  EXPECT_EQ(with_line("0x30000038", "0x20000038"), "BELLATRIX_FORK_VERSION repeats the version of ALTAIR");
  EXPECT_EQ(with_line("CONFIG_NAME", "ALTAIR_FORK_EPOCH"), "line 6: ALTAIR_FORK_EPOCH is given twice; keep one");
}

TEST(NetworkConfig, SizesThatContradictThePresetAreRefused) {
  EXPECT_EQ(message_of(std::string(kConfig) + "SLOTS_PER_EPOCH: 8\n"), "accepted");
  EXPECT_EQ(message_of(std::string(kConfig) + "SLOTS_PER_EPOCH: 16\n"),
            "line 17: SLOTS_PER_EPOCH: 16 contradicts PRESET_BASE minimal, where it is 8; name the preset that fits");
  EXPECT_NE(message_of(std::string(kConfig) + "SYNC_COMMITTEE_SIZE: 512\n"), "accepted");
  EXPECT_NE(message_of(std::string(kConfig) + "MAX_COMMITTEES_PER_SLOT: 64\n"), "accepted");
}

TEST(NetworkConfig, WhatIsNotAMapOfKeysIsRefused) {
  for (const std::string text :
       {"", "7", "- a\n- b\n", "a: [", "\"", "? [a]\n: b\n", "%YAML 9", "a: *b", "\xff\xfe\x00"}) {
    EXPECT_NE(message_of(text), "accepted") << text;
  }
  EXPECT_NE(message_of(std::string(20000, '[')), "accepted");
  EXPECT_NE(message_of(std::string(20000, '{')), "accepted");
}

TEST(LoadNetwork, TakesANameOrAPath) {
  EXPECT_EQ(load_network("mainnet")->preset.slots_per_epoch, 32U);
  EXPECT_EQ(load_network("gnosis")->preset.slots_per_epoch, 16U);
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "cc-network-config.yaml";
  std::ofstream(path) << kConfig;
  EXPECT_EQ(load_network(path.string())->name, "devnet-7");
  std::ofstream(path) << "PRESET_BASE: none\n";
  EXPECT_EQ(load_network(path.string()).error().message,
            path.string() + ": line 1: PRESET_BASE: expected mainnet, minimal or gnosis");
  std::ofstream(path) << std::string(2UL * 1024 * 1024, '#');
  EXPECT_NE(load_network(path.string()).error().message.find("larger than 1 MiB"), std::string::npos);
  std::filesystem::remove(path);
  for (const std::string& nowhere :
       {std::string("mainet"), path.string(), std::string("Mainnet"), std::string(), testing::TempDir()}) {
    const auto network = load_network(nowhere);
    ASSERT_FALSE(network) << nowhere;
    EXPECT_EQ(network.error().kind, ErrorKind::config_invalid);
    EXPECT_NE(network.error().message.find("neither a public network"), std::string::npos) << network.error().message;
  }
}

// One row of docs/reference/networks.md per fork: | network | preset | FORK | version | epoch |.
TEST(PublicNetworks, AreThoseOfTheReferencePage) {
  const std::string page = read_file(std::string(CC_SOURCE_DIR) + "/docs/reference/networks.md");
  std::size_t rows = 0;
  for (const char* network_name :
       {"mainnet", "sepolia", "holesky", "hoodi", "ephemery", "gnosis", "chiado", "minimal"}) {
    const Network network = named(network_name);
    for (std::size_t i = 0; i < kForks; ++i) {
      const std::string epoch = network.epochs[i] ? std::to_string(network.epochs[i]->value) : "never";
      const std::string row = std::string("| ") + network_name + " | " + std::string(network.preset.name) + " | " +
                              std::string(name(static_cast<Fork>(i))) + " | " + to_0x(*network.versions[i]) + " | " +
                              epoch + " |";
      EXPECT_NE(page.find(row), std::string::npos) << row;
      ++rows;
    }
    if (network.genesis_validators_root) {
      EXPECT_NE(page.find(std::string("| ") + network_name + " | " + to_0x(*network.genesis_validators_root) + " |"),
                std::string::npos);
    }
  }
  EXPECT_EQ(rows, 64U);
}

TEST(PublicNetworks, HaveOrderedSchedulesAndRoots) {
  for (const char* network_name : {"mainnet", "sepolia", "holesky", "hoodi", "gnosis", "chiado"}) {
    const Network network = named(network_name);
    ASSERT_TRUE(network.genesis_validators_root) << network_name;
    for (std::size_t i = 1; i < kForks; ++i) {
      if (network.epochs[i]) {
        EXPECT_GE(*network.epochs[i], *network.epochs[i - 1]) << network_name;
      }
      EXPECT_EQ(network.fork_of(*network.versions[i]), static_cast<Fork>(i)) << network_name;
    }
  }
  EXPECT_FALSE(public_network("goerli"));
  EXPECT_FALSE(named("ephemery").genesis_validators_root);
}

}  // namespace
}  // namespace cc::ethereum::test
