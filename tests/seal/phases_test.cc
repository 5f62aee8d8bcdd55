// Every cell of both machines, against a second writing of the tables made for reading.
#include "seal/phases.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <sstream>

namespace cc::seal {
namespace {

// One line per event: its name, then a cell per phase: `next/effect` or `!error`.
constexpr const char* kRecordTable = R"(
init_kms_only         set/write_record          !already_initialized        !already_initialized         !already_initialized
init_operators        registering/write_record  !already_initialized        !already_initialized         !already_initialized
init_reset            !not_initialized          none/write_tombstone        !wrong_state                 !wrong_state
register_share        !not_initialized          registering/write_members   !registration_token_invalid  rotating/write_members
register_last_share   !not_initialized          set/write_members           !registration_token_invalid  set/commit_staged
unseal_share          !not_initialized          !wrong_state                set/read_only                rotating/read_only
rotate_kms            !not_initialized          !wrong_state                set/write_record             !wrong_state
stage_lock            !not_initialized          !wrong_state                rotating/write_record        !wrong_state
cancel_staged         !not_initialized          !wrong_state                !wrong_state                 set/write_record
change_credentials    !not_initialized          !wrong_state                set/write_members            rotating/write_members
read_members          !not_initialized          registering/read_only       set/read_only                rotating/read_only
)";

constexpr const char* kProcessTable = R"(
init                   closed/serve       !wrong_state       !already_initialized  !already_initialized
kms_step               closed/try_keks    barred/nothing     kms_open/nothing      open/nothing
kms_lock_opened        kms_open/keep_kms  barred/wipe        kms_open/keep_kms     open/keep_kms
register_share         !kms_pending       !wrong_state       kms_open/serve        open/serve
use_credential         !kms_pending       !wrong_state       kms_open/serve        open/serve
unseal_share           !kms_pending       !wrong_state       kms_open/serve        !wrong_state
reset_round            closed/drop_round  barred/drop_round  kms_open/drop_round   open/drop_round
master_key_ready       open/go_open       barred/wipe        open/go_open          open/nothing
registration_complete  closed/wipe        barred/wipe        closed/wipe           open/nothing
epoch_changed          closed/wipe        barred/wipe        closed/wipe           open/reopen_kms
record_gone            closed/wipe        barred/wipe        closed/wipe           closed/wipe
seal                   barred/wipe        barred/wipe        barred/wipe           barred/wipe
resume                 closed/nothing     closed/nothing     kms_open/nothing      open/nothing
)";

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
void check_table(const char* table, std::size_t phases, std::size_t events, const Effects& effects) {
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
  check_table<RecordPhase, RecordEvent>(kRecordTable, kRecordPhases, kRecordEvents, kRecordEffects);
}

TEST(Phases, EveryCellOfTheProcessMachineIsAsWritten) {
  check_table<ProcessPhase, ProcessEvent>(kProcessTable, kProcessPhases, kProcessEvents, kProcessEffects);
}

TEST(Phases, TheVisibleStateFollowsFromBothAndSigningFromIt) {
  const std::map<std::pair<RecordPhase, ProcessPhase>, VisibleState> opened{
      {{RecordPhase::set, ProcessPhase::kms_open}, VisibleState::kms_unsealed},
      {{RecordPhase::set, ProcessPhase::open}, VisibleState::unsealed},
      {{RecordPhase::rotating, ProcessPhase::kms_open}, VisibleState::kms_unsealed},
      {{RecordPhase::rotating, ProcessPhase::open}, VisibleState::awaiting_rotation}};
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
      EXPECT_EQ(signs(expected), p == ProcessPhase::open && (r == RecordPhase::set || r == RecordPhase::rotating));
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
