// The EIP-3076 interchange suite's format, run against any slashing store under both strategies: our own cases always,
// the official suite when $INTERCHANGE_SUITE names its folder (it has no licence, so it is not in this repository).
#pragma once

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>

#include "guard/guard_fixture.h"
#include "guard/history.h"
#include "guard/interchange.h"
#include "support/process.h"

namespace cc::guard::suite {

namespace json = boost::json;
using EmptyStore = std::function<std::unique_ptr<SlashingStore>()>;

inline std::uint64_t number(const json::object& object, const char* name) {
  return std::stoull(std::string(object.at(name).as_string()));
}
template <std::size_t N>
std::array<std::uint8_t, N> bytes(const json::value& value) {
  std::array<std::uint8_t, N> out{};
  EXPECT_TRUE(from_hex_exact(value.as_string(), out));
  return out;
}

// One file under one strategy, on a store of its own.
class Case {
 public:
  // `keep`: prunes to so many epochs before each attempt. Then what may pass may also be refused, never the other way.
  Case(const json::object& file, const Policy& policy, const EmptyStore& empty_store, std::uint64_t keep)
      : file_(file),
        policy_(policy),
        keep_(keep),
        network_(bytes<32>(file.at("genesis_validators_root"))),
        store_(empty_store()) {}

  void run() {
    ASSERT_TRUE(change(*store_, [&](SlashingTransaction& tx) { return set_network(tx, network_); }));
    int number_of_step = 0;
    for (const json::value& step : file_.at("steps").as_array()) {
      SCOPED_TRACE("step " + std::to_string(++number_of_step));
      step_of(step.as_object());
    }
  }
  int attempts() const { return attempts_; }

 private:
  void step_of(const json::object& step) {
    const auto read = parse_interchange(json::serialize(step.at("interchange")));
    ASSERT_TRUE(read) << read.error().message;
    const auto imported = change(*store_, [&](SlashingTransaction& tx) -> Result<void> {
      CC_TRY(import_interchange(tx, *read, policy_.strategy, Gap::open));
      return {};
    });
    EXPECT_EQ(imported.has_value(), step.at("should_succeed").as_bool());
    for (const json::value& one : step.at("blocks").as_array()) {
      const json::object& attempt = one.as_object();
      try_one(attempt, BlockCheck{Slot{number(attempt, "slot")}});
    }
    for (const json::value& one : step.at("attestations").as_array()) {
      const json::object& attempt = one.as_object();
      try_one(attempt,
              AttestationCheck{Epoch{number(attempt, "source_epoch")}, Epoch{number(attempt, "target_epoch")}});
    }
  }

  template <class Duty>
  void try_one(const json::object& attempt, Duty duty) {
    const char* column = policy_.strategy == Strategy::complete ? "should_succeed_complete" : "should_succeed";
    Check check{bytes<48>(attempt.at("pubkey")), duty, Root{}, network_};
    if (const json::value* root = attempt.if_contains("signing_root")) {
      check.signing_root = bytes<32>(*root);
    }
    const bool wanted = attempt.at(column).as_bool();
    if (keep_ > 0) {
      EXPECT_TRUE(change(*store_, [&](SlashingTransaction& tx) -> Result<void> {
        CC_TRY(prune_validator(tx, check.key, {keep_, 1}));
        return {};
      }));
      const std::string said = ask(*store_, policy_, check);
      EXPECT_TRUE(said == "slashable" || (said == "ok" && wanted)) << said << json::serialize(attempt);
    } else {
      EXPECT_EQ(ask(*store_, policy_, check), wanted ? "ok" : "slashable") << json::serialize(attempt);
    }
    ++attempts_;
  }

  const json::object& file_;
  Policy policy_;
  std::uint64_t keep_;
  Root network_;
  int attempts_ = 0;
  std::unique_ptr<SlashingStore> store_;
};

// The number of files; every attempt of every file is compared under both strategies.
inline int run_folder(const std::string& backend, const EmptyStore& empty_store, const std::filesystem::path& folder,
                      std::uint64_t keep = 0) {
  int files = 0;
  int attempts = 0;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() != ".json") {
      continue;
    }
    SCOPED_TRACE(item.path().filename().string());
    const json::value file = json::parse(test::read_text(item.path()));
    for (const Policy& policy : {kComplete, kMinimal}) {
      SCOPED_TRACE(policy.strategy == Strategy::complete ? "complete" : "minimal");
      Case one(file.as_object(), policy, empty_store, keep);
      one.run();
      attempts += one.attempts();
    }
    ++files;
  }
  std::cout << "interchange on " << backend << ": " << files << " files, " << attempts << " attempts compared\n";
  return files;
}

inline void run_own_cases(const std::string& backend, const EmptyStore& empty_store) {
  EXPECT_GE(run_folder(backend, empty_store, std::filesystem::path(CC_SOURCE_DIR) / "tests/vectors/interchange-own"),
            10);
}

inline void run_own_cases_while_pruning(const std::string& backend, const EmptyStore& empty_store) {
  EXPECT_GE(run_folder(backend, empty_store, std::filesystem::path(CC_SOURCE_DIR) / "tests/vectors/interchange-own", 1),
            10);
}

inline void run_official_suite(const std::string& backend, const EmptyStore& empty_store) {
  const char* folder = std::getenv("INTERCHANGE_SUITE");
  if (folder == nullptr || *folder == '\0') {
    std::cout
        << "interchange: the official EIP-3076 suite was skipped; set INTERCHANGE_SUITE to the folder of its JSON "
           "files to run it\n";
    return;
  }
  EXPECT_GE(run_folder(backend, empty_store, folder), 1) << "no .json file in " << folder;
  EXPECT_GE(run_folder(backend, empty_store, folder, 1), 1) << "while pruning";
}

}  // namespace cc::guard::suite
