#include "cache/fill_table.hpp"

#include "tests/cache/support.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

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

BlobKeeper::Seen nothing() {
  return {};
}

void no_recheck(const std::shared_ptr<GrowingFill>&, const BlobKeeper::Seen&) {
  FAIL("nothing is suspect");
}

TEST_CASE("the first to join gets a writer, the next ones the same fill, without another look") {
  FillTable table;
  const auto first = table.join(digest, "docker.io/library/hi", nothing, start, no_recheck);
  REQUIRE(first.writer != nullptr);
  int looks = 0;
  const auto second = table.join(
      digest, "docker.io/library/hi", [&] { return ++looks, nothing(); }, start, no_recheck);
  CHECK(second.writer == nullptr);
  CHECK(second.fill == first.fill);
  CHECK(looks == 0);
  CHECK(table.find(digest) == first.fill);
  CHECK(table.size() == 1);
}

TEST_CASE("a blob published between the caller's own look and the join starts no second fill") {
  FillTable table;
  const auto published = [] {
    return BlobKeeper::Seen{.blob = BlobFile{.file = nullptr, .size = 10}};
  };
  const auto access = table.join(digest, "docker.io/library/hi", published, start, no_recheck);
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
        other = std::thread([&] {
          second = table.join(digest, "docker.io/library/hi", nothing, start, no_recheck);
        });
        return nothing();
      },
      start, no_recheck);
  other.join();
  CHECK(first.writer != nullptr);
  CHECK(second.writer == nullptr);
  CHECK(second.fill == first.fill);
}

TEST_CASE("a fill that is over makes room, but never in place of another one") {
  FillTable table;
  const GrowingFill stranger(digest, "docker.io/library/hi");
  const auto first = table.join(digest, "docker.io/library/hi", nothing, start, no_recheck);
  table.leave(stranger);
  CHECK(table.find(digest) == first.fill);
  table.leave(static_cast<const GrowingFill&>(*first.fill));
  CHECK(table.find(digest) == nullptr);
  CHECK(table.join(digest, "docker.io/library/hi", nothing, start, no_recheck).writer != nullptr);
}

TEST_CASE("a suspect blob is followed like one that arrives, begun by nobody, and counted apart") {
  FillTable table;
  const auto suspect = [] {
    return BlobKeeper::Seen{.blob = BlobFile{.file = nullptr, .size = 10}, .suspect = true};
  };
  std::vector<std::shared_ptr<GrowingFill>> rechecked;
  const auto recheck = [&](std::shared_ptr<GrowingFill> fill, const BlobKeeper::Seen& seen) {
    CHECK(seen.blob->size == 10);
    rechecked.push_back(std::move(fill));
  };
  const auto first = table.join(digest, "docker.io/library/hi", suspect, start, recheck);
  const auto second = table.join(digest, "docker.io/library/hi", suspect, start, recheck);
  REQUIRE(rechecked.size() == 1);
  CHECK(first.fill == rechecked[0]);
  CHECK(second.fill == rechecked[0]);
  CHECK(first.writer == nullptr);
  CHECK_FALSE(first.blob);
  CHECK(first.fill->begun_by().empty());
  CHECK(table.find(digest) == first.fill);
  CHECK(table.size() == 0);
  CHECK(table.rechecks() == 1);
  table.leave(*rechecked[0]);
  CHECK(table.rechecks() == 0);
  CHECK(table.find(digest) == nullptr);
}

TEST_CASE("a start that fails leaves no fill behind") {
  FillTable table;
  const auto fails = [](auto) -> std::unique_ptr<FillWriter> { throw std::bad_alloc(); };
  CHECK_THROWS_AS(table.join(digest, "docker.io/library/hi", nothing, fails, no_recheck),
                  std::bad_alloc);
  CHECK(table.size() == 0);
}

}  // namespace
}  // namespace archway::cache
