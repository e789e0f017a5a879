#include "cache/blob_check.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>

namespace archway::cache {
namespace {

using testing::Bytes;
using testing::bytes_of;
using testing::digest_of;
using State = BlobCheck::State;

BlobFile file_of(const testing::TempDir& dir, const Bytes& bytes) {
  testing::write_text(dir / "file", std::string(bytes.begin(), bytes.end()));
  return {.file = std::make_shared<const FileHandle>(::open((dir / "file").c_str(), O_RDONLY)),
          .size = bytes.size()};
}

State run(BlobCheck& check, std::size_t piece) {
  Bytes buffer(piece);
  auto state = State::under_way;
  while (state == State::under_way) state = check.step(buffer);
  return state;
}

TEST_CASE("a file is right when its bytes have the digest, in pieces of any size") {
  const testing::TempDir dir;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{10'000}}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3'333}, std::size_t{100'000}}) {
      for (const auto algorithm : {Digest::Algorithm::sha256, Digest::Algorithm::sha512}) {
        const auto bytes = bytes_of(size);
        BlobCheck check(digest_of(bytes, algorithm), file_of(dir, bytes));
        CHECK(run(check, piece) == State::right);
        CHECK(check.done() == size);
        CHECK(check.why().empty());
      }
    }
  }
}

TEST_CASE("a flipped bit, a missing end and a file that cannot be read are wrong, and say why") {
  const testing::TempDir dir;
  const auto right = bytes_of(10'000);
  for (const std::size_t at : {std::size_t{0}, std::size_t{5'000}, std::size_t{9'999}}) {
    auto bytes = right;
    bytes[at] ^= 1;
    BlobCheck check(digest_of(right), file_of(dir, bytes));
    CHECK(run(check, 1'000) == State::wrong);
    CHECK(check.why().find(digest_of(bytes).str()) != std::string::npos);
  }
  auto shorter = file_of(dir, bytes_of(9'000));
  shorter.size = 10'000;
  BlobCheck cut(digest_of(right), shorter);
  CHECK(run(cut, 1'000) == State::wrong);
  CHECK(cut.why().find("ends after 9000 bytes") != std::string::npos);

  const BlobFile directory{
      .file = std::make_shared<const FileHandle>(::open(dir.path().c_str(), O_RDONLY)), .size = 1};
  BlobCheck unreadable(digest_of(right), directory);
  CHECK(run(unreadable, 1'000) == State::wrong);
  CHECK(unreadable.why().find("cannot be read: Is a directory") != std::string::npos);
}

}  // namespace
}  // namespace archway::cache
