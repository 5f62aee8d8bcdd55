#include "guard/interchange_handler.h"

#include <charconv>
#include <utility>

namespace cc::guard::reading {
namespace {

// Every member the format knows: where it stands, what it is called, what it holds and where that leads.
struct Member {
  Place place;
  std::string_view name;
  Shape shape;
  Place inner;
  bool required;
};
enum MemberId : std::size_t {
  kMetadata,
  kData,
  kVersion,
  kGenesis,
  kPubkey,
  kSignedBlocks,
  kSignedVotes,
  kSlot,
  kBlockRoot,
  kSource,
  kTarget,
  kVoteRoot,
};
constexpr std::array kMembers{
    Member{Place::top, "metadata", Shape::object, Place::metadata, true},
    Member{Place::top, "data", Shape::array, Place::data, true},
    Member{Place::metadata, "interchange_format_version", Shape::text, Place::ignored, true},
    Member{Place::metadata, "genesis_validators_root", Shape::text, Place::ignored, true},
    Member{Place::entry, "pubkey", Shape::text, Place::ignored, true},
    Member{Place::entry, "signed_blocks", Shape::array, Place::blocks, true},
    Member{Place::entry, "signed_attestations", Shape::array, Place::votes, true},
    Member{Place::block, "slot", Shape::text, Place::ignored, true},
    Member{Place::block, "signing_root", Shape::text, Place::ignored, false},
    Member{Place::vote, "source_epoch", Shape::text, Place::ignored, true},
    Member{Place::vote, "target_epoch", Shape::text, Place::ignored, true},
    Member{Place::vote, "signing_root", Shape::text, Place::ignored, false},
};

constexpr std::string_view word(Shape shape) {
  switch (shape) {
    case Shape::text:
      return "a string";
    case Shape::object:
      return "an object";
    case Shape::array:
      return "an array";
    case Shape::other:
      break;
  }
  return "something else";
}

bool is_list(Place place) { return place == Place::data || place == Place::blocks || place == Place::votes; }

Place item_of(Place list) {
  return list == Place::data ? Place::entry : list == Place::blocks ? Place::block : Place::vote;
}

}  // namespace

std::string Handler::where() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (is_list(frame.place)) {
      path += '[' + std::to_string(frame.index == 0 ? 0 : frame.index - 1) + ']';
    } else if (frame.member < kMembers.size()) {
      path += path.empty() ? "" : ".";
      path += kMembers.at(frame.member).name;
    }
  }
  return path.empty() ? "the file" : path;
}

bool Handler::wrong(const std::string& what) {
  error_ = Error{ErrorKind::interchange_invalid, where() + ": " + what};
  return false;
}

// Judges that a value of this shape may stand here and says where it leads.
bool Handler::value(Shape shape, Place& inner) {
  inner = Place::ignored;
  if (frames_.empty()) {
    inner = Place::top;
    return shape == Shape::object || wrong("must be a JSON object");
  }
  Frame& frame = frames_.back();
  if (is_list(frame.place)) {
    ++frame.index;
    inner = item_of(frame.place);
    return shape == Shape::object || wrong("must be an object");
  }
  if (frame.place == Place::ignored || frame.member >= kMembers.size()) {
    return true;
  }
  const Member& member = kMembers.at(frame.member);
  inner = member.inner;
  return shape == member.shape || wrong("must be " + std::string(word(member.shape)));
}

bool Handler::open(Shape shape) {
  Place inner = Place::ignored;
  if (!value(shape, inner)) {
    return false;
  }
  switch (inner) {
    case Place::entry:
      out_.data.emplace_back();
      break;
    case Place::block:
      out_.data.back().blocks.emplace_back();
      break;
    case Place::vote:
      out_.data.back().attestations.emplace_back();
      break;
    default:
      break;
  }
  frames_.push_back({inner, 0, 0, kMembers.size()});
  return true;
}

bool Handler::complete(const Frame& frame) {
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    const Member& member = kMembers.at(i);
    if (member.place == frame.place && member.required && (frame.seen & (1U << i)) == 0) {
      return wrong("`" + std::string(member.name) + "` is missing");
    }
  }
  return true;
}

bool Handler::close() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  return frame.place == Place::ignored || is_list(frame.place) || complete(frame);
}

bool Handler::key(std::string_view name) {
  Frame& frame = frames_.back();
  frame.member = kMembers.size();
  if (frame.place == Place::ignored) {
    return true;
  }
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    if (kMembers.at(i).place == frame.place && kMembers.at(i).name == name) {
      frame.member = i;
      const bool repeated = (frame.seen & (1U << i)) != 0;
      frame.seen |= 1U << i;
      return !repeated || wrong("stands twice in one object");
    }
  }
  return true;
}

bool Handler::other(bool null) {
  const bool optional = !frames_.empty() && frames_.back().place != Place::ignored &&
                        frames_.back().member < kMembers.size() && !kMembers.at(frames_.back().member).required;
  if (null && optional) {
    return true;
  }
  Place inner = Place::ignored;
  return value(Shape::other, inner);
}

bool Handler::number(std::string_view digits, std::uint64_t& to) {
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
  const bool canonical = !digits.empty() && (digits.size() == 1 || digits.front() != '0');
  return (problem == std::errc() && end == digits.data() + digits.size() && canonical) ||
         wrong("must be a decimal number from 0 to 18446744073709551615");
}

bool Handler::text(std::string_view value_text) {
  Place inner = Place::ignored;
  if (!value(Shape::text, inner)) {
    return false;
  }
  const Frame& frame = frames_.back();
  return frame.place == Place::ignored || frame.member >= kMembers.size() || assign(value_text);
}

bool Handler::assign(std::string_view value_text) {
  const auto hex = [&](std::span<std::uint8_t> to) {
    const Result<void> read = from_hex_exact(value_text, to);
    return (read.has_value() && value_text.starts_with("0x")) ||
           wrong("must be 0x and " + std::to_string(2 * to.size()) + " hexadecimal digits");
  };
  const auto root = [&](std::optional<Root>& to) { return hex(to.emplace()); };
  switch (frames_.back().member) {
    case kVersion:
      return value_text == "5" || wrong(
                                      "is not \"5\", the only version this program reads: let the other signer export "
                                      "version 5");
    case kGenesis:
      return hex(out_.genesis_validators_root);
    case kPubkey:
      return hex(out_.data.back().key);
    case kSlot:
      return number(value_text, out_.data.back().blocks.back().slot.value);
    case kBlockRoot:
      return root(out_.data.back().blocks.back().signing_root);
    case kSource:
      return number(value_text, out_.data.back().attestations.back().source.value);
    case kTarget:
      return number(value_text, out_.data.back().attestations.back().target.value);
    case kVoteRoot:
      return root(out_.data.back().attestations.back().signing_root);
    default:
      return true;
  }
}

}  // namespace cc::guard::reading
