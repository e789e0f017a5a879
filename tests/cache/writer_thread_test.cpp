#include "cache/writer_thread.hpp"

#include "tests/cache/support.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace archway::cache {
namespace {

Digest number(std::uint32_t i) {
  return testing::digest_of(testing::bytes_of(8, i));
}

Changes one_blob(std::uint32_t i) {
  return {.blobs = {{number(i), {.size = i}}}};
}

Result<void> refusal() {
  return Error{.code = Errc::storage_failed, .origin = Origin::storage, .message = "no"};
}

/// Something to wait for from another thread.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST_CASE("changes are applied in order, in groups no larger than allowed, each answered once") {
  Gate first_entered;
  Gate all_queued;
  std::vector<std::size_t> groups;
  std::vector<std::uint64_t> applied;
  std::vector<int> answers(300);
  {
    WriterThread writer([&](std::span<const Changes* const> group) -> Result<void> {
      first_entered.open();
      all_queued.wait();
      groups.push_back(group.size());
      for (const auto* changes : group) applied.push_back(changes->blobs[0].second.size);
      return {};
    });
    writer.submit(one_blob(0), [&](Result<void>) { ++answers[0]; });
    first_entered.wait();
    for (std::uint32_t i = 1; i < 300; ++i) {
      writer.submit(one_blob(i),
                    [&answers, i](Result<void> result) { answers[i] += result ? 1 : 9; });
    }
    all_queued.open();
  }
  REQUIRE(applied.size() == 300);
  CHECK(std::is_sorted(applied.begin(), applied.end()));
  CHECK(*std::max_element(groups.begin(), groups.end()) == WriterThread::group_operations_max);
  CHECK(std::all_of(answers.begin(), answers.end(), [](int count) { return count == 1; }));
}

TEST_CASE("a change larger than a group goes alone, whole") {
  std::vector<std::size_t> sizes;
  {
    WriterThread writer([&](std::span<const Changes* const> group) -> Result<void> {
      for (const auto* changes : group) sizes.push_back(changes->blobs.size());
      return {};
    });
    Changes large;
    for (std::uint32_t i = 0; i < 200; ++i) large.blobs.emplace_back(number(i), BlobRecord{});
    writer.submit(std::move(large), {});
  }
  CHECK(sizes == std::vector<std::size_t>{200});
}

TEST_CASE("when a group fails its members are tried alone, so that only the culprit fails") {
  Gate first_entered;
  Gate all_queued;
  std::vector<bool> outcomes(10);
  {
    WriterThread writer([&](std::span<const Changes* const> group) -> Result<void> {
      first_entered.open();
      all_queued.wait();
      for (const auto* changes : group) {
        if (changes->blobs[0].second.size == 7) return refusal();
      }
      return {};
    });
    for (std::uint32_t i = 0; i < 10; ++i) {
      // A vector<bool> shares bytes, but only the writer's thread touches it.
      writer.submit(one_blob(i),
                    [&outcomes, i](Result<void> result) { outcomes[i] = bool(result); });
      if (i == 0) first_entered.wait();
    }
    all_queued.open();
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) CHECK(outcomes[i] == (i != 7));
}

TEST_CASE("changes for which there is no memory fail, and the writer goes on") {
  int calls = 0;
  std::vector<bool> kept;
  {
    WriterThread writer([&](std::span<const Changes* const>) -> Result<void> {
      if (++calls <= 2) throw std::bad_alloc();
      return {};
    });
    for (std::uint32_t i = 0; i < 3; ++i) {
      Gate answered;
      writer.submit(one_blob(i), [&](Result<void> result) {
        kept.push_back(result.has_value());
        if (!result) CHECK(result.error().retryable);
        answered.open();
      });
      answered.wait();
    }
  }
  CHECK(kept == std::vector<bool>{false, false, true});
}

TEST_CASE("a waiter that runs out of memory takes nothing from the others") {
  int answered = 0;
  {
    WriterThread writer([](std::span<const Changes* const>) -> Result<void> { return {}; });
    writer.submit(one_blob(0), [](Result<void>) { throw std::bad_alloc(); });
    writer.submit(one_blob(1), [&](Result<void>) { ++answered; });
  }
  CHECK(answered == 1);
}

TEST_CASE("a queue that is full refuses, on the writer's thread, and works again afterwards") {
  struct Row {
    const char* why;
    std::size_t manifest_bytes;
    std::size_t fit;  ///< changes that fit while the first one is under way
  };
  const Row rows[] = {{"too many operations", 0, WriterThread::queued_operations_max},
                      {"too many bytes", WriterThread::queued_bytes_max / 4, 4}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Gate first_entered;
    Gate all_queued;
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::thread::id refuser;
    std::thread::id applier;
    {
      WriterThread writer([&](std::span<const Changes* const>) -> Result<void> {
        applier = std::this_thread::get_id();
        first_entered.open();
        all_queued.wait();
        return {};
      });
      writer.submit({}, {});
      first_entered.wait();
      const auto digest = number(1);
      for (std::size_t i = 0; i < row.fit + 3; ++i) {
        Changes changes;
        changes.manifests.emplace_back(digest, ManifestRecord{.media_type = "", .bytes = ""});
        changes.manifests.back().second.bytes.resize(row.manifest_bytes);
        writer.submit(std::move(changes), [&](Result<void> result) {
          ++(result ? accepted : refused);
          if (!result) refuser = std::this_thread::get_id();
        });
      }
      all_queued.open();
    }
    CHECK(accepted == row.fit);
    CHECK(refused == 3);
    CHECK(refuser == applier);
  }
}

}  // namespace
}  // namespace archway::cache
