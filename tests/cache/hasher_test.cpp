#include "cache/hasher.hpp"

#include <doctest/doctest.h>
#include <string>

namespace archway::cache {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST_CASE("a hasher gives the published digests, in one piece or in many") {
  struct Row {
    const char* why;
    Digest::Algorithm algorithm;
    std::string text;
    std::string want;
  };
  const Row rows[] = {
      {"sha256 of nothing", Digest::Algorithm::sha256, "",
       "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"sha256 of abc (FIPS 180-4)", Digest::Algorithm::sha256, "abc",
       "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"sha512 of abc (FIPS 180-4)", Digest::Algorithm::sha512, "abc",
       "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Hasher whole(row.algorithm);
    whole.update(bytes(row.text));
    CHECK(whole.finish()->str() == row.want);
    Hasher pieces(row.algorithm);
    for (const char c : row.text) pieces.update(bytes(std::string_view(&c, 1)));
    CHECK(pieces.finish()->str() == row.want);
  }
}

TEST_CASE("a hasher that is asked twice says that it failed") {
  Hasher hasher(Digest::Algorithm::sha256);
  REQUIRE(hasher.finish());
  const auto again = hasher.finish();
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::storage_failed);
}

TEST_CASE("the one-call SHA-256 agrees with the running one") {
  Hasher hasher(Digest::Algorithm::sha256);
  hasher.update(bytes("docker.io"));
  const auto digest = *hasher.finish();
  CHECK(sha256("docker.io") == std::string(digest.bytes().begin(), digest.bytes().end()));
}

}  // namespace
}  // namespace archway::cache
