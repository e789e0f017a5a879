#include "proxy/upstream/checked_source.hpp"

#include "tests/proxy/upstream/sources.hpp"
#include "tests/support/run.hpp"

#include <doctest/doctest.h>

namespace archway::proxy {
namespace {

/// What a reader gets before the end or the error.
std::string read_all(CheckedSource& source, std::uint64_t size) {
  boost::asio::io_context loop{1};
  std::string text;
  std::string piece(100, '\0');
  while (text.size() < size) {
    const auto got = test::run(loop, source.read(piece.data(), piece.size()));
    if (!got) break;
    text += piece.substr(0, *got);
  }
  return text;
}

TEST_CASE("bytes pass as they come, the last ones only when all of them match") {
  const auto right = pattern_of(1000);
  auto wrong_last = right;
  wrong_last.back() = '!';
  auto wrong_first = right;
  wrong_first.front() = '!';
  struct Row {
    const char* why;
    std::string text;
    std::size_t piece;
    std::size_t passed;
    const char* said;  // "" : nothing is wrong
  };
  const char* const mismatch =
      " gave bytes that do not match the digest; the upload was broken off";
  const char* const short_of =
      " gave fewer or more bytes than the blob has; the upload was broken off";
  const Row rows[] = {{"right", right, 1000, 1000, ""},
                      {"right, byte by byte", right, 1, 1000, ""},
                      {"the last byte is another", wrong_last, 1000, 900, mismatch},
                      {"the last byte is another, byte by byte", wrong_last, 1, 999, mismatch},
                      {"the first byte is another", wrong_first, 1000, 900, mismatch},
                      {"it ends early", right.substr(0, 950), 100, 950, short_of}};
  const auto digest = *cache::digest_of(Digest::Algorithm::sha256, right);
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CheckedSource source(std::make_shared<TextStream>(row.text, row.piece), digest, right.size());
    CHECK(read_all(source, right.size()).size() == row.passed);
    REQUIRE(source.failure().has_value() == (*row.said != '\0'));
    if (!source.failure()) continue;
    CHECK(source.failure()->code == Errc::upstream_failed);
    CHECK(source.failure()->message == "the source of the blob " + digest.str() + row.said);
  }
}

TEST_CASE("the stream's own error is kept as it is") {
  const auto stream = std::make_shared<TextStream>(pattern_of(1000));
  stream->source().fails_at = 100;
  const auto digest = *cache::digest_of(Digest::Algorithm::sha512, pattern_of(1000));
  CheckedSource source(stream, digest, 1000);
  CHECK(read_all(source, 1000).size() == 100);
  REQUIRE(source.failure());
  CHECK(source.failure()->message == "the source broke");
}

}  // namespace
}  // namespace archway::proxy
