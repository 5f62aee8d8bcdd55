// Every cell of both machines, against the tables of docs/spec/state-machine.md.
#include "seal/phases.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace cc::seal {
namespace {

// The code block of this name in docs/spec/state-machine.md: one line per event, its name, then a cell per phase.
std::string table_of(const std::string& block) {
  std::ifstream file(std::string(CC_SOURCE_DIR) + "/docs/spec/state-machine.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```" + block + "\n";
  const std::size_t start = page.find(fence);
  EXPECT_NE(start, std::string::npos) << "the page has no table of the " << block << " machine";
  const std::size_t from = start + fence.size();
  return start == std::string::npos ? "" : page.substr(from, page.find("```", from) - from);
}

constexpr std::array kRecordEffects{"refuse",        "write_record",  "write_tombstone",
                                    "write_members", "commit_staged", "read_only"};
constexpr std::array kProcessEffects{"refuse",     "nothing", "try_keks", "keep_kms",  "serve",
                                     "drop_round", "go_open", "wipe",     "reopen_kms"};

template <class Cell, class Effects>
std::string written(const Cell& found, const Effects& effects) {
  const std::string effect = effects.at(static_cast<std::size_t>(found.effect));
  return found.error ? "!" + std::string(facts(*found.error).code) : std::string(name(found.next)) + "/" + effect;
}

template <class Phase, class Event, class Effects>
void check_table(const std::string& table, std::size_t phases, std::size_t events, const Effects& effects) {
  std::istringstream lines(table);
  for (std::size_t event = 0; event < events; ++event) {
    std::string event_name;
    ASSERT_TRUE(lines >> event_name) << "an event without a line";
    for (std::size_t phase = 0; phase < phases; ++phase) {
      std::string expected;
      ASSERT_TRUE(lines >> expected) << event_name;
      const auto& found = cell(static_cast<Phase>(phase), static_cast<Event>(event));
      EXPECT_EQ(written(found, effects), expected) << event_name << " in " << name(static_cast<Phase>(phase));
      const bool refuses = effects.at(static_cast<std::size_t>(found.effect)) == std::string("refuse");
      EXPECT_EQ(found.error.has_value(), refuses) << event_name;
      EXPECT_EQ(std::string_view(found.advice).empty(), !refuses) << event_name << ": a refusal says what to do next";
      if (refuses) {
        EXPECT_EQ(found.next, static_cast<Phase>(phase)) << event_name << ": a refusal changes nothing";
      }
      const auto allowed = allow(static_cast<Phase>(phase), static_cast<Event>(event));
      EXPECT_EQ(allowed.has_value(), !refuses);
      if (refuses) {
        EXPECT_EQ(allowed.error().kind, *found.error);
      }
    }
  }
  std::string rest;
  EXPECT_FALSE(lines >> rest) << "a line without an event: " << rest;
}

TEST(Phases, EveryCellOfTheRecordMachineIsAsWritten) {
  check_table<RecordPhase, RecordEvent>(table_of("record"), kRecordPhases, kRecordEvents, kRecordEffects);
}

TEST(Phases, EveryCellOfTheProcessMachineIsAsWritten) {
  check_table<ProcessPhase, ProcessEvent>(table_of("process"), kProcessPhases, kProcessEvents, kProcessEffects);
}

TEST(Phases, TheVisibleStateFollowsFromBothAndSigningFromIt) {
  const std::map<std::pair<RecordPhase, ProcessPhase>, VisibleState> opened{
      {{RecordPhase::set, ProcessPhase::kms_open}, VisibleState::kms_unsealed},
      {{RecordPhase::set, ProcessPhase::open}, VisibleState::unsealed},
      {{RecordPhase::rotating, ProcessPhase::kms_open}, VisibleState::kms_unsealed},
      {{RecordPhase::rotating, ProcessPhase::open}, VisibleState::awaiting_rotation},
      {{RecordPhase::resealing, ProcessPhase::kms_open}, VisibleState::kms_unsealed},
      {{RecordPhase::resealing, ProcessPhase::open}, VisibleState::unsealed}};
  for (std::size_t record = 0; record < kRecordPhases; ++record) {
    for (std::size_t process = 0; process < kProcessPhases; ++process) {
      const auto r = static_cast<RecordPhase>(record);
      const auto p = static_cast<ProcessPhase>(process);
      const auto found = opened.find({r, p});
      const VisibleState expected = r == RecordPhase::none          ? VisibleState::uninitialized
                                    : r == RecordPhase::registering ? VisibleState::awaiting_registration
                                    : found == opened.end()         ? VisibleState::sealed
                                                                    : found->second;
      EXPECT_EQ(visible_state(r, p), expected) << name(r) << " " << name(p);
      const bool complete = r != RecordPhase::none && r != RecordPhase::registering;
      EXPECT_EQ(signs(expected), p == ProcessPhase::open && complete);
    }
  }
}

TEST(Phases, NothingButResumeLeavesBarred) {
  for (std::size_t event = 0; event < kProcessEvents; ++event) {
    const auto& found = cell(ProcessPhase::barred, static_cast<ProcessEvent>(event));
    EXPECT_EQ(found.next != ProcessPhase::barred, static_cast<ProcessEvent>(event) == ProcessEvent::resume) << event;
  }
}

TEST(Phases, StatesHaveTheGuidesNames) {
  EXPECT_EQ(name(VisibleState::uninitialized), "uninitialized");
  EXPECT_EQ(name(VisibleState::awaiting_registration), "awaiting_registration");
  EXPECT_EQ(name(VisibleState::sealed), "sealed");
  EXPECT_EQ(name(VisibleState::kms_unsealed), "kms_unsealed");
  EXPECT_EQ(name(VisibleState::unsealed), "unsealed");
  EXPECT_EQ(name(VisibleState::awaiting_rotation), "awaiting_rotation");
}

}  // namespace
}  // namespace cc::seal
