#include "formats/mnemonic.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "crypto/password.h"
#include "formats/unicode.h"

namespace cc::mnemonic {
namespace {

constexpr std::size_t kWords = 2048;
constexpr std::size_t kWordBytes = 8;  // the longest word of the list
constexpr unsigned kBitsPerWord = 11;
constexpr std::size_t kMostWords = 24;

constexpr const char* kEnglish[] = {
#include "formats/bip39_english.inc"
};
static_assert(std::size(kEnglish) == kWords);

using Word = std::array<std::uint8_t, kWordBytes>;  // zero-padded

constexpr std::array<Word, kWords> padded_words() {
  std::array<Word, kWords> out{};
  for (std::size_t i = 0; i < kWords; ++i) {
    for (std::size_t j = 0; kEnglish[i][j] != 0; ++j) {
      out[i][j] = static_cast<std::uint8_t>(kEnglish[i][j]);
    }
  }
  return out;
}
constexpr std::array<Word, kWords> kPadded = padded_words();

// All ones when a == b, else zero, without a branch; both below 2^31.
std::uint32_t equal_mask(std::uint32_t a, std::uint32_t b) { return 0U - (((a ^ b) - 1U) >> 31); }

// Reads the whole table whatever the index, so that memory access tells nothing about the words.
void select_word(std::uint32_t index, std::span<std::uint8_t, kWordBytes> out) {
  std::ranges::fill(out, std::uint8_t{0});
  for (std::uint32_t i = 0; i < kWords; ++i) {
    const auto mask = static_cast<std::uint8_t>(equal_mask(i, index));
    for (std::size_t j = 0; j < kWordBytes; ++j) {
      out[j] = static_cast<std::uint8_t>(out[j] | (kPadded[i][j] & mask));
    }
  }
}

// The index of a zero-padded word, kWords when it is not in the list; compares with every word.
std::uint32_t find_word(std::span<const std::uint8_t, kWordBytes> word) {
  std::uint32_t found = kWords;
  for (std::uint32_t i = 0; i < kWords; ++i) {
    std::uint32_t difference = 0;
    for (std::size_t j = 0; j < kWordBytes; ++j) {
      difference |= static_cast<std::uint32_t>(word[j] ^ kPadded[i][j]);
    }
    const std::uint32_t mask = equal_mask(difference, 0);
    found = (found & ~mask) | (i & mask);
  }
  return found;
}

bool valid_entropy_size(std::size_t size) { return size >= 16 && size <= 32 && size % 4 == 0; }

// The checksum: the first size/4 bits of SHA-256 of the entropy, in the high bits of a byte.
std::uint8_t checksum(std::span<const std::uint8_t> entropy) {
  crypto::Digest digest = crypto::sha256(entropy);
  const auto unused = static_cast<unsigned>(8 - entropy.size() / 4);
  const auto out = static_cast<std::uint8_t>(digest[0] >> unused << unused);
  wipe(digest);
  return out;
}

// 11 bits from bit `start` on, most significant first.
std::uint32_t bits_at(std::span<const std::uint8_t> bytes, std::size_t start) {
  std::uint32_t out = 0;
  for (std::size_t bit = start; bit < start + kBitsPerWord; ++bit) {
    out = out << 1 | (static_cast<std::uint32_t>(bytes[bit / 8]) >> (7 - bit % 8) & 1U);
  }
  return out;
}

void put_bits(std::span<std::uint8_t> bytes, std::size_t start, std::uint32_t value) {
  for (std::size_t i = 0; i < kBitsPerWord; ++i) {
    const std::uint32_t bit = value >> (kBitsPerWord - 1 - i) & 1U;
    bytes[(start + i) / 8] = static_cast<std::uint8_t>(bytes[(start + i) / 8] | bit << (7 - (start + i) % 8));
  }
}

Result<SecretBytes> words_of(const SecretBytes& entropy) {
  const auto raw = expose_secret_bytes(entropy);
  SecretBytes checked(raw.size() + 1);
  const auto bits = expose_secret_bytes(checked);
  std::ranges::copy(raw, bits.begin());
  bits.back() = checksum(raw);
  const std::size_t words = raw.size() * 3 / 4;
  SecretBytes text(words * (kWordBytes + 1));
  SecretBytes word(kWordBytes);
  const auto out = expose_secret_bytes(text);
  const auto padded = expose_secret_bytes(word).first<kWordBytes>();
  std::size_t used = 0;
  for (std::size_t i = 0; i < words; ++i) {
    if (i > 0) {
      out[used++] = ' ';
    }
    select_word(bits_at(bits, i * kBitsPerWord), padded);
    for (const std::uint8_t letter : padded) {
      out[used] = letter;
      used += letter == 0 ? 0 : 1;
    }
  }
  return SecretBytes::copy_of(expose_secret_bytes(std::as_const(text)).first(used));
}

}  // namespace

SecretBytes generate(Random& random) {
  SecretBytes entropy(32);
  random.fill(expose_secret_bytes(entropy));
  return *words_of(entropy);
}

Result<SecretBytes> from_entropy(const SecretBytes& entropy) {
  if (!valid_entropy_size(entropy.size())) {
    return fail(ErrorKind::malformed_request, "a mnemonic is made from 16, 20, 24, 28 or 32 bytes");
  }
  return words_of(entropy);
}

Result<void> check(const SecretBytes& words) {
  const auto text = expose_secret_bytes(words);
  SecretBytes packed(kMostWords * kBitsPerWord / 8 + 1);
  SecretBytes current(kWordBytes);
  const auto bits = expose_secret_bytes(packed);
  const auto word = expose_secret_bytes(current).first<kWordBytes>();
  std::size_t count = 0;
  std::size_t at = 0;
  while (at <= text.size()) {
    std::size_t length = 0;
    while (at + length < text.size() && text[at + length] != ' ') {
      ++length;
    }
    std::ranges::fill(word, std::uint8_t{0});
    std::ranges::copy(text.subspan(at, std::min(length, kWordBytes)), word.begin());
    const std::uint32_t index = length > kWordBytes ? kWords : find_word(word);
    ++count;
    if (index == kWords) {
      return fail(ErrorKind::malformed_request,
                  "word " + std::to_string(count) + " is not in the English word list of BIP-39");
    }
    if (count > kMostWords) {
      break;
    }
    put_bits(bits, (count - 1) * kBitsPerWord, index);
    at += length + 1;
  }
  if (count < 12 || count > kMostWords || count % 3 != 0) {
    return fail(ErrorKind::malformed_request, "a mnemonic has 12, 15, 18, 21 or 24 words");
  }
  const std::size_t entropy = count * 4 / 3;
  const std::uint8_t wanted = checksum(bits.first(entropy));
  if (!equal_constant_time({&wanted, 1}, bits.subspan(entropy, 1))) {
    return fail(ErrorKind::malformed_request,
                "the mnemonic's checksum does not match: a word is wrong or out of place");
  }
  return {};
}

Result<SecretBytes> to_seed(const SecretBytes& words, const SecretBytes& passphrase) {
  CC_ASSIGN(const SecretBytes password, unicode::nfkd(words));
  CC_ASSIGN(const SecretBytes extra, unicode::nfkd(passphrase));
  constexpr std::string_view kPrefix = "mnemonic";
  SecretBytes salt(kPrefix.size() + extra.size());
  const auto out = expose_secret_bytes(salt);
  std::ranges::copy(bytes_of(kPrefix), out.begin());
  std::ranges::copy(expose_secret_bytes(extra), out.begin() + kPrefix.size());
  return crypto::pbkdf2_sha512(password, expose_secret_bytes(std::as_const(salt)), 2048, 64);
}

Result<crypto::BlsSecretKey> validator_branch(const SecretBytes& seed) {
  CC_ASSIGN(const crypto::BlsSecretKey master, crypto::derive_master(seed));
  return crypto::derive_child(crypto::derive_child(master, 12381), 3600);
}

crypto::BlsSecretKey validator_key(const crypto::BlsSecretKey& branch, std::uint32_t index) {
  return crypto::derive_child(crypto::derive_child(crypto::derive_child(branch, index), 0), 0);
}

Result<crypto::BlsSecretKey> validator_key(const SecretBytes& seed, std::uint32_t index) {
  CC_ASSIGN(const crypto::BlsSecretKey branch, validator_branch(seed));
  return validator_key(branch, index);
}

}  // namespace cc::mnemonic
