#include "cache/store_health.hpp"

#include "cache/blob_store.hpp"
#include "cache/paths.hpp"
#include "tests/cache/disk_calls.hpp"
#include "tests/cache/support.hpp"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <span>
#include <vector>

namespace archway::cache {
namespace {

using namespace std::chrono_literals;

Digest numbered(std::uint32_t number) {
  return testing::digest_of(testing::bytes_of(8, number));
}

struct Watched {
  StoreHealth::Clock::time_point now{1h};
  bool answers = false;
  std::vector<bool> served = {};
  std::size_t asked_about = 0;
  StoreHealth health{{.probe =
                          [this](std::span<const Digest> unreadable) {
                            asked_about = unreadable.size();
                            return answers;
                          },
                      .serve = [this](bool in_service) { served.push_back(in_service); },
                      .now = [this] { return now; }},
                     nullptr};

  /// That many further blobs, one after the other.
  void fail(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) health.could_not_read(numbered(next_++));
  }

 private:
  std::uint32_t next_ = 0;
};

TEST_CASE("the disk is to blame when several blobs cannot be read within a short time") {
  Watched w;
  w.fail(StoreHealth::unreadable_max - 1);
  CHECK_FALSE(w.health.is_bad());
  CHECK(w.served.empty());
  CHECK(w.health.could_not_read(numbered(99)));
  CHECK(w.health.is_bad());
  w.fail(10);
  CHECK(w.served == std::vector<bool>{false});
}

TEST_CASE("one blob that is read again and again is one blob") {
  Watched w;
  for (int i = 0; i < 20; ++i) CHECK_FALSE(w.health.could_not_read(numbered(7)));
  CHECK_FALSE(w.health.is_bad());
}

TEST_CASE("blobs that break now and then are the blobs' own fault") {
  Watched w;
  for (std::size_t i = 0; i < 5 * StoreHealth::unreadable_max; ++i) {
    w.fail(1);
    w.now += StoreHealth::together / 3;
  }
  CHECK_FALSE(w.health.is_bad());
}

TEST_CASE("a disk out of service is back when it answers, and has a clean record") {
  Watched w;
  w.answers = true;
  w.health.step();
  CHECK(w.served.empty());
  w.answers = false;
  w.fail(StoreHealth::unreadable_max);
  CHECK(w.health.step() == StoreHealth::probe_pause);
  CHECK(w.health.is_bad());
  CHECK(w.asked_about == StoreHealth::unreadable_max);
  w.answers = true;
  w.health.step();
  CHECK_FALSE(w.health.is_bad());
  CHECK(w.served == std::vector<bool>{false, true});
  w.fail(StoreHealth::unreadable_max - 1);
  CHECK_FALSE(w.health.is_bad());
}

TEST_CASE("a disk answers when what is written to it can be synced and read again") {
  const testing::TempDir dir;
  BlobStore store(std::make_shared<const FileHandle>(
                      ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                  true, nullptr);
  REQUIRE(store.open(dir.path()));
  testing::DiskCalls calls(dir.path());
  CHECK(store.answers({}));
  for (const char* const call : {"sync probe", "read probe"}) {
    CAPTURE(call);
    calls.fail(call, EIO);
    CHECK_FALSE(store.answers({}));
    calls.fail(call, 0);
  }
  CHECK(store.answers({}));
  CHECK_FALSE(testing::fs::exists(dir / "probe"));
}

TEST_CASE("a disk that takes nothing answers when one of the blobs can be read that could not be") {
  const testing::TempDir dir;
  std::vector<Digest> blobs;
  {
    const auto cache = testing::open_cache(dir.path());
    for (std::uint32_t i = 0; i < 2; ++i) {
      blobs.push_back(testing::publish(*cache, testing::bytes_of(1'000, i)));
    }
  }
  blobs.push_back(numbered(99));  // Has no file any more.
  struct Row {
    const char* why;
    bool read_only;
    int write_error;
    int unreadable;  ///< so many of the blobs
    bool answers;
  };
  for (const auto& row : {Row{"full, and reads one", false, ENOSPC, 1, true},
                          Row{"full, and reads none", false, ENOSPC, 2, false},
                          Row{"no quota is left", false, EDQUOT, 1, true},
                          Row{"turned read-only", false, EROFS, 0, true},
                          Row{"turned read-only, reads none", false, EROFS, 2, false},
                          Row{"opened read-only", true, 0, 1, true},
                          Row{"opened read-only, reads none", true, 0, 2, false},
                          Row{"breaks when it is written to", false, EIO, 0, false}}) {
    CAPTURE(row.why);
    BlobStore store(std::make_shared<const FileHandle>(
                        ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                    true, nullptr);
    REQUIRE(store.open(dir.path(), row.read_only));
    testing::DiskCalls calls(dir.path());
    calls.fail("sync probe", row.write_error);
    for (int i = 0; i < row.unreadable; ++i) {
      calls.fail("read " + paths::blob(blobs[static_cast<std::size_t>(i)]), EIO);
    }
    CHECK(store.answers(blobs) == row.answers);
    const bool nothing_to_tell = row.write_error != EIO;
    CHECK(store.answers(std::span(blobs).subspan(2)) == nothing_to_tell);
  }
}

TEST_CASE("a store out of service finds nothing and takes nothing, and has it all afterwards") {
  const testing::TempDir dir;
  const auto cache = testing::open_cache(dir.path());
  const auto digest = testing::publish(*cache, testing::bytes_of(100));
  BlobStore store(std::make_shared<const FileHandle>(
                      ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
                  true, nullptr);
  CHECK(store.find(digest).blob);
  store.serve(false);
  CHECK_FALSE(store.find(digest).blob);
  CHECK_FALSE(store.find(digest).gone);
  store.serve(true);
  CHECK(store.find(digest).blob);
}

}  // namespace
}  // namespace archway::cache
