#include "keys/key_ring.h"

#include <algorithm>
#include <mutex>

namespace cc::keys {

std::string_view name(KeySource source) {
  switch (source) {
    case KeySource::sealed:
      return "sealed";
    case KeySource::filesystem:
      return "filesystem";
    case KeySource::memory:
      return "memory";
  }
  return "?";
}

std::shared_ptr<const RingKey> KeyRing::find(const BlsPublicKey& key) const {
  const std::shared_lock lock(mutex_);
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : at->second;
}

bool KeyRing::add(std::shared_ptr<const RingKey> key) {
  const BlsPublicKey public_key = key->public_key;
  const std::unique_lock lock(mutex_);
  const auto [at, fresh] = keys_.try_emplace(public_key, key);
  if (!fresh && key->source == KeySource::sealed) {
    at->second = std::move(key);
  }
  return fresh;
}

bool KeyRing::remove(const BlsPublicKey& key) {
  const std::unique_lock lock(mutex_);
  return keys_.erase(key) != 0;
}

void KeyRing::clear() {
  const std::unique_lock lock(mutex_);
  keys_.clear();
}

void KeyRing::clear(KeySource source) {
  const std::unique_lock lock(mutex_);
  std::erase_if(keys_, [source](const auto& entry) { return entry.second->source == source; });
}

std::uint64_t KeyRing::size() const {
  const std::shared_lock lock(mutex_);
  return keys_.size();
}

std::vector<BlsPublicKey> KeyRing::public_keys() const {
  std::vector<BlsPublicKey> out;
  {
    const std::shared_lock lock(mutex_);
    out.reserve(keys_.size());
    for (const auto& [key, entry] : keys_) {
      out.push_back(key);
    }
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace cc::keys
