#include "seal/lock.h"

#include <algorithm>
#include <numeric>

#include "crypto/aead.h"
#include "formats/cbor.h"

namespace cc::seal {
namespace {

// So many m-subsets are tried at most before shares that were set aside are given up; only a forged or damaged record
// makes more than the first one necessary.
constexpr unsigned kMaxAttempts = 2000;

crypto::Share clone(const crypto::Share& share) { return {share.index, share.value.clone()}; }

Secret<32> content_key(const Secret<32>& lock_key, const ChamberId& chamber, const LockId& lock) {
  return crypto::derive(lock_key, chamber, "lock-content", lock);
}

// Every share takes part: the windows of m neighbours in the circle of all shares.
Result<void> check_subsets(const std::vector<crypto::Share>& shares, unsigned m, const Secret<32>& secret) {
  for (std::size_t start = 0; start < shares.size(); ++start) {
    std::vector<crypto::Share> window;
    window.reserve(m);
    for (std::size_t i = 0; i < m; ++i) {
      window.push_back(clone(shares[(start + i) % shares.size()]));
    }
    CC_ASSIGN(const auto back, crypto::combine(window));
    if (!(back == secret)) {
      return fail(ErrorKind::internal, "the shares just dealt do not give the lock key back; nothing was stored");
    }
  }
  return {};
}

// The next m-subset of 0..n-1 in lexicographic order; false after the last.
bool next_subset(std::vector<std::size_t>& chosen, std::size_t n) {
  const std::size_t m = chosen.size();
  for (std::size_t i = m; i-- > 0;) {
    if (chosen[i] < n - m + i) {
      ++chosen[i];
      for (std::size_t j = i + 1; j < m; ++j) {
        chosen[j] = chosen[j - 1] + 1;
      }
      return true;
    }
  }
  return false;
}

}  // namespace

Bytes encode_header(const LockHeader& header) {
  cbor::Writer out;
  out.map(5).key(1).uint(static_cast<std::uint64_t>(header.kind)).key(2).uint(header.position).key(3).bytes(header.id);
  out.key(4).uint(header.m).key(5).array(header.members.size());
  for (const std::string& member : header.members) {
    out.text(member);
  }
  return out.take();
}

crypto::Digest share_verifier(const crypto::Share& share, const ChamberId& chamber, const LockId& lock) {
  return crypto::hmac_sha256(expose_secret_bytes(share.value),
                             {bytes_of("cc/v1/share-verifier"), chamber, lock, ByteView(&share.index, 1)});
}

Bytes seal_content(const Secret<32>& lock_key, const ChamberId& chamber, const LockHeader& header,
                   std::span<const std::uint8_t> content, Random& random) {
  return crypto::seal_box(content_key(lock_key, chamber, header.id), encode_header(header), content, random);
}

Result<SecretBytes> open_content(const Secret<32>& lock_key, const ChamberId& chamber, const LockHeader& header,
                                 ByteView box) {
  auto opened = crypto::open_box(content_key(lock_key, chamber, header.id), encode_header(header), box);
  if (!opened) {
    return fail(ErrorKind::record_tampered,
                "the header or the content of a lock in the seal record was altered; restore the record from a backup");
  }
  return opened;
}

Result<DealtLock> deal(const Secret<32>& lock_key, const ChamberId& chamber, LockHeader header, Random& random) {
  CC_ASSIGN(auto shares, crypto::split(lock_key, header.m, header.n(), random));
  CC_TRY(check_subsets(shares, header.m, lock_key));
  Lock lock{std::move(header), {}};
  for (const crypto::Share& share : shares) {
    lock.members.push_back({share_verifier(share, chamber, lock.header.id), {}});
  }
  return DealtLock{std::move(lock), std::move(shares)};
}

Result<crypto::Share> read_share(const SecretBytes& rtss, const LockHeader& header, unsigned index,
                                 const std::vector<LockId>& retired) {
  auto read = crypto::from_rtss(expose_secret_bytes(rtss));
  if (!read) {
    return fail(ErrorKind::record_malformed, "what a member holds is not a share: " + read.error().message);
  }
  if (read->id != header.id) {
    return std::ranges::find(retired, read->id) != retired.end()
               ? fail(ErrorKind::share_older_set,
                      "the share belongs to a set that was replaced; use a member of the new set")
               : fail(ErrorKind::share_other_set, "the share belongs to another chamber or another set");
  }
  if (read->share.index != index || read->m != header.m) {
    return fail(ErrorKind::share_wrong_operator, "the share belongs to another member of this set");
  }
  return std::move(read->share);
}

ShareCollection::ShareCollection(const ChamberId& chamber, const Lock& lock)
    : chamber_(chamber), lock_(lock.header.id), m_(lock.header.m) {
  for (const LockMember& member : lock.members) {
    verifiers_.push_back(member.verifier);
  }
}

bool ShareCollection::holds(unsigned index) const {
  return std::ranges::any_of(counted_, [index](const auto& share) { return share.index == index; });
}

ShareCollection::Verdict ShareCollection::add(crypto::Share share) {
  if (holds(share.index)) {
    return Verdict::repeated;
  }
  const bool known = share.index >= 1 && share.index <= verifiers_.size();
  const bool matches =
      known && equal_constant_time(share_verifier(share, chamber_, lock_), verifiers_[share.index - 1U]);
  std::erase_if(aside_, [&](const auto& held) { return held.index == share.index; });
  (matches ? counted_ : aside_).push_back(std::move(share));
  return matches ? Verdict::counted : Verdict::set_aside;
}

Result<Secret<32>> ShareCollection::combine() const {
  std::vector<const crypto::Share*> candidates;
  for (const auto* list : {&counted_, &aside_}) {
    for (const crypto::Share& share : *list) {
      candidates.push_back(&share);
    }
  }
  if (m_ == 0 || candidates.size() < m_) {
    return fail(ErrorKind::share_mismatch, "not enough shares yet");
  }
  std::vector<std::size_t> chosen(m_);
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  for (unsigned attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::vector<crypto::Share> subset;
    subset.reserve(m_);
    for (const std::size_t at : chosen) {
      subset.push_back(clone(*candidates[at]));
    }
    if (auto key = crypto::combine(subset)) {
      return key;
    }
    if (!next_subset(chosen, candidates.size())) {
      break;
    }
  }
  return fail(ErrorKind::share_mismatch, "the shares do not belong together");
}

}  // namespace cc::seal
