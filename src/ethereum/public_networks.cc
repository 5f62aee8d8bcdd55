// The public networks by name. docs/reference/networks.md repeats this table with its sources; a test compares the two.
#include "base/bytes.h"
#include "ethereum/network.h"

namespace cc::ethereum {
namespace {

// A fork that is named but has no epoch yet.
constexpr std::uint64_t kNever = ~std::uint64_t{0};

struct ForkRow {
  std::uint32_t version;  // big-endian, as in 0x90000069
  std::uint64_t epoch;
};

struct NetworkRow {
  std::string_view name;
  std::string_view preset;
  std::string_view genesis_validators_root;  // empty: the network has none that lasts
  std::array<ForkRow, kForks> forks;         // phase0 … gloas
};

constexpr std::array kNetworks{
    NetworkRow{"mainnet",
               "mainnet",
               "4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
               {{{0x00000000, 0},
                 {0x01000000, 74240},
                 {0x02000000, 144896},
                 {0x03000000, 194048},
                 {0x04000000, 269568},
                 {0x05000000, 364032},
                 {0x06000000, 411392},
                 {0x07000000, kNever}}}},
    NetworkRow{"sepolia",
               "mainnet",
               "d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
               {{{0x90000069, 0},
                 {0x90000070, 50},
                 {0x90000071, 100},
                 {0x90000072, 56832},
                 {0x90000073, 132608},
                 {0x90000074, 222464},
                 {0x90000075, 272640},
                 {0x90000076, 353024}}}},
    NetworkRow{"holesky",
               "mainnet",
               "9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1",
               {{{0x01017000, 0},
                 {0x02017000, 0},
                 {0x03017000, 0},
                 {0x04017000, 256},
                 {0x05017000, 29696},
                 {0x06017000, 115968},
                 {0x07017000, 165120},
                 {0x08017000, kNever}}}},
    NetworkRow{"hoodi",
               "mainnet",
               "212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
               {{{0x10000910, 0},
                 {0x20000910, 0},
                 {0x30000910, 0},
                 {0x40000910, 0},
                 {0x50000910, 0},
                 {0x60000910, 2048},
                 {0x70000910, 50688},
                 {0x80000910, kNever}}}},
    NetworkRow{"ephemery",
               "mainnet",
               "",
               {{{0x1000101b, 0},
                 {0x2000101b, 0},
                 {0x3000101b, 0},
                 {0x4000101b, 0},
                 {0x5000101b, 0},
                 {0x6000101b, 0},
                 {0x7000101b, 0},
                 {0x8000101b, kNever}}}},
    NetworkRow{"gnosis",
               "gnosis",
               "f5dcb5564e829aab27264b9becd5dfaa017085611224cb3036f573368dbb9d47",
               {{{0x00000064, 0},
                 {0x01000064, 512},
                 {0x02000064, 385536},
                 {0x03000064, 648704},
                 {0x04000064, 889856},
                 {0x05000064, 1337856},
                 {0x06000064, 1714688},
                 {0x07000064, kNever}}}},
    NetworkRow{"chiado",
               "gnosis",
               "9d642dac73058fbf39c0ae41ab1e34e4d889043cb199851ded7095bc99eb4c1e",
               {{{0x0000006f, 0},
                 {0x0100006f, 90},
                 {0x0200006f, 180},
                 {0x0300006f, 244224},
                 {0x0400006f, 516608},
                 {0x0500006f, 948224},
                 {0x0600006f, 1353216},
                 {0x0700006f, kNever}}}},
    NetworkRow{"minimal",
               "minimal",
               "",
               {{{0x00000001, 0},
                 {0x01000001, kNever},
                 {0x02000001, kNever},
                 {0x03000001, kNever},
                 {0x04000001, kNever},
                 {0x05000001, kNever},
                 {0x06000001, kNever},
                 {0x07000001, kNever}}}},
};

Version version_of(std::uint32_t big_endian) {
  return {static_cast<std::uint8_t>(big_endian >> 24), static_cast<std::uint8_t>(big_endian >> 16),
          static_cast<std::uint8_t>(big_endian >> 8), static_cast<std::uint8_t>(big_endian)};
}

}  // namespace

std::optional<Network> public_network(std::string_view name) {
  for (const NetworkRow& row : kNetworks) {
    if (row.name != name) {
      continue;
    }
    Network out{std::string(row.name), *preset_named(row.preset), {}, {}, {}};
    for (std::size_t i = 0; i < kForks; ++i) {
      out.versions[i] = version_of(row.forks[i].version);
      if (row.forks[i].epoch != kNever) {
        out.epochs[i] = Epoch{row.forks[i].epoch};
      }
    }
    Root root{};
    if (!row.genesis_validators_root.empty() && from_hex_exact(row.genesis_validators_root, root)) {
      out.genesis_validators_root = root;
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace cc::ethereum
