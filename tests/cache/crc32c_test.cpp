#include "cache/crc32c.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::cache {
namespace {

TEST_CASE("CRC-32C gives the published values") {
  struct Row {
    const char* why;
    std::string bytes;
    std::uint32_t want;
  };
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  const Row rows[] = {
      {"the check value of the algorithm", "123456789", 0xe3069283},
      {"nothing", "", 0},
      {"RFC 3720 B.4: 32 bytes of zeroes", std::string(32, '\0'), 0x8a9136aa},
      {"RFC 3720 B.4: 32 bytes of ones", std::string(32, '\xff'), 0x62a8ab43},
      {"RFC 3720 B.4: 32 rising bytes", rising, 0x46dd794e},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(crc32c(row.bytes) == row.want);
  }
}

TEST_CASE("a CRC taken in two pieces is that of the whole, wherever the cut is") {
  const std::string whole = "a text that is longer than three groups of eight";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    CHECK(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))) == crc32c(whole));
  }
}

TEST_CASE("every single flipped bit changes the CRC") {
  std::string bytes = "seventeen bytes..";
  const auto right = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto& byte = bytes[bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    CHECK(crc32c(bytes) != right);
    byte = static_cast<char>(byte ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace archway::cache
