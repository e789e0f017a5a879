#include "cache/fill_table.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>
#include <utility>

namespace archway::cache {
namespace {

const Digest digest = testing::digest_of(testing::bytes_of(10));

/// Only somebody to hold.
class IdleWriter final : public FillWriter {
 public:
  explicit IdleWriter(std::shared_ptr<Fill> fill) : fill_(std::move(fill)) {}
  const std::shared_ptr<Fill>& fill() const override { return fill_; }
  Result<void> begin(std::optional<std::uint64_t>) override { return {}; }
  Result<void> append(std::span<const std::uint8_t>) override { return {}; }
  std::uint64_t appended() const override { return 0; }
  Result<void> finish() override { return {}; }
  void fail(Error) override {}

 private:
  std::shared_ptr<Fill> fill_;
};

std::unique_ptr<FillWriter> start(std::shared_ptr<GrowingFill> fill) {
  return std::make_unique<IdleWriter>(std::move(fill));
}

std::optional<BlobFile> nothing() {
  return std::nullopt;
}

TEST_CASE("the first to join gets a writer, the next ones the same fill, without another look") {
  FillTable table;
  const auto first = table.join(digest, "docker.io/library/hi", nothing, start);
  REQUIRE(first.writer != nullptr);
  int looks = 0;
  const auto second = table.join(
      digest, "docker.io/library/hi", [&] { return ++looks, nothing(); }, start);
  CHECK(second.writer == nullptr);
  CHECK(second.fill == first.fill);
  CHECK(looks == 0);
  CHECK(table.find(digest) == first.fill);
  CHECK(table.size() == 1);
}

TEST_CASE("a blob published between the caller's own look and the join starts no second fill") {
  FillTable table;
  const auto published = [] { return std::optional(BlobFile{.file = nullptr, .size = 10}); };
  const auto access = table.join(digest, "docker.io/library/hi", published, start);
  REQUIRE(access.blob);
  CHECK(access.blob->size == 10);
  CHECK(access.fill == nullptr);
  CHECK(access.writer == nullptr);
  CHECK(table.size() == 0);
}

TEST_CASE("nobody else can start the fill while the first one still looks") {
  FillTable table;
  Cache::Access second;
  std::thread other;
  const auto first = table.join(
      digest, "docker.io/library/hi",
      [&] {
        other = std::thread(
            [&] { second = table.join(digest, "docker.io/library/hi", nothing, start); });
        return nothing();
      },
      start);
  other.join();
  CHECK(first.writer != nullptr);
  CHECK(second.writer == nullptr);
  CHECK(second.fill == first.fill);
}

TEST_CASE("a fill that is over makes room, but never in place of another one") {
  FillTable table;
  const GrowingFill stranger(digest, "docker.io/library/hi");
  const auto first = table.join(digest, "docker.io/library/hi", nothing, start);
  table.leave(stranger);
  CHECK(table.find(digest) == first.fill);
  table.leave(static_cast<const GrowingFill&>(*first.fill));
  CHECK(table.find(digest) == nullptr);
  CHECK(table.join(digest, "docker.io/library/hi", nothing, start).writer != nullptr);
}

TEST_CASE("a start that fails leaves no fill behind") {
  FillTable table;
  const auto fails = [](auto) -> std::unique_ptr<FillWriter> { throw std::bad_alloc(); };
  CHECK_THROWS_AS(table.join(digest, "docker.io/library/hi", nothing, fails), std::bad_alloc);
  CHECK(table.size() == 0);
}

}  // namespace
}  // namespace archway::cache
