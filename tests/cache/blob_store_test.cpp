#include "cache/blob_store.hpp"

#include "cache/paths.hpp"
#include "tests/cache/support.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::digest_of;
using testing::read_bytes;

/// A log that keeps what it is told.
class KeepingLog final : public metrics::Log {
 public:
  bool enabled(metrics::Level) const override { return true; }
  void write(metrics::Level, std::string_view message, std::vector<metrics::Field>) override {
    lines.emplace_back(message);
  }
  std::uint64_t dropped() const override { return 0; }
  void write_seldom(std::string_view, metrics::Level, std::string_view message,
                    std::vector<metrics::Field>) override {
    lines.emplace_back(message);
  }

  std::vector<std::string> lines;
};

struct Store {
  explicit Store(bool sync = true)
      : store(
            std::make_shared<const FileHandle>(::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY)),
            sync, &log) {
    REQUIRE(store.open(dir.path()));
  }

  /// A partial file with these bytes.
  std::shared_ptr<const FileHandle> part(const Digest& digest, const testing::Bytes& bytes) {
    auto file = store.create_part(digest, bytes.size());
    REQUIRE(file);
    REQUIRE(::pwrite((*file)->get(), bytes.data(), bytes.size(), 0) ==
            static_cast<ssize_t>(bytes.size()));
    return *file;
  }
  Result<void> publish(const Digest& digest, const testing::Bytes& bytes) {
    const auto file = part(digest, bytes);
    return store.publish(digest, *file, bytes.size());
  }
  fs::path blob(const Digest& digest) const { return dir / paths::blob(digest); }

  testing::TempDir dir;
  KeepingLog log;
  BlobStore store;
};

TEST_CASE("what is in quarantine goes when it has been there for long enough") {
  Store s;
  testing::write_text(s.dir / "quarantine/sha256-x", "damaged");
  CHECK(s.store.remove_quarantined(std::chrono::hours(1)) == 0);
  CHECK(fs::exists(s.dir / "quarantine/sha256-x"));
  CHECK(s.store.remove_quarantined(std::chrono::seconds(0)) == 1);
  CHECK_FALSE(fs::exists(s.dir / "quarantine/sha256-x"));
}

TEST_CASE("a published blob has its name, its mode and its bytes, and no partial file is left") {
  for (const bool sync : {true, false}) {
    for (const auto algorithm : {Digest::Algorithm::sha256, Digest::Algorithm::sha512}) {
      Store s(sync);
      const auto bytes = bytes_of(100'000);
      const auto digest = digest_of(bytes, algorithm);
      CHECK_FALSE(s.store.find(digest).blob);
      CHECK(s.store.find(digest).gone);
      REQUIRE(s.publish(digest, bytes));
      const auto found = s.store.find(digest);
      REQUIRE(found.blob);
      CHECK(found.blob->size == bytes.size());
      CHECK(found.arrived_at > 1'700'000'000);
      CHECK(read_bytes(*found.blob) == bytes);
      CHECK(::fcntl(found.blob->file->get(), F_GETFD) == FD_CLOEXEC);
      struct stat facts {};
      REQUIRE(::stat(s.blob(digest).c_str(), &facts) == 0);
      CHECK((facts.st_mode & 07777) == 0444);
      CHECK(testing::entries(s.dir / "fills") == 0);
    }
  }
}

TEST_CASE("room is set aside without making the file longer, and none is given that is not there") {
  Store s;
  const auto digest = digest_of(bytes_of(1));
  const auto file = s.store.create_part(digest, 1 << 20);
  REQUIRE(file);
  struct stat facts {};
  REQUIRE(::fstat((*file)->get(), &facts) == 0);
  CHECK(facts.st_size == 0);
  for (const auto size : {std::uint64_t{1} << 60, ~std::uint64_t{0}}) {
    CAPTURE(size);
    const auto none = s.store.create_part(digest, size);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::storage_failed);
    CHECK(none.error().message.find("full") != std::string::npos);
    CHECK(testing::entries(s.dir / "fills") == 0);
  }
}

TEST_CASE("what was verified just now takes the place of what was there, whatever it is") {
  struct Row {
    const char* why;
    std::size_t there;  ///< bytes of the file that has the name already
    bool quarantined;
  };
  const Row rows[] = {
      {"the same size", 1'000, false}, {"cut short", 999, true}, {"empty", 0, true}};
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Store s;
    const auto bytes = bytes_of(1'000);
    const auto digest = digest_of(bytes);
    fs::create_directories(s.blob(digest).parent_path());
    testing::write_text(s.blob(digest), std::string(row.there, 'x'));
    REQUIRE(s.publish(digest, bytes));
    const auto found = s.store.find(digest);
    REQUIRE(found.blob);
    CHECK(read_bytes(*found.blob) == bytes);
    CHECK(s.store.quarantined() == (row.quarantined ? 1 : 0));
    CHECK(testing::entries(s.dir / "fills") == 0);
  }
}

TEST_CASE("what stands in a blob's place without being a plain file goes to quarantine") {
  struct Row {
    const char* why;
    void (*make)(const fs::path&);
  };
  const Row rows[] = {
      {"a link to a file", [](auto& path) { fs::create_symlink("/etc/passwd", path); }},
      {"a link to nothing", [](auto& path) { fs::create_symlink("nothing", path); }},
      {"a directory", [](auto& path) { fs::create_directory(path); }},
      {"a FIFO without a writer", [](auto& path) { REQUIRE(::mkfifo(path.c_str(), 0600) == 0); }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Store s;
    const auto bytes = bytes_of(10);
    const auto digest = digest_of(bytes);
    fs::create_directories(s.blob(digest).parent_path());
    row.make(s.blob(digest));
    CHECK_FALSE(s.store.find(digest).blob);
    CHECK(s.store.quarantined() == 1);
    CHECK(s.log.lines == std::vector<std::string>{"damaged blob"});
    CHECK(s.store.find(digest).gone);
    CHECK(testing::entries(s.dir / "quarantine") == 1);
    REQUIRE(s.publish(digest, bytes));
    CHECK(s.store.find(digest).blob);
  }
}

TEST_CASE("quarantine takes the file that was seen, not another that took its place") {
  Store s;
  const auto bytes = bytes_of(10);
  const auto digest = digest_of(bytes);
  REQUIRE(s.publish(digest, bytes));
  const auto seen = *s.store.find(digest).blob;
  CHECK(s.store.quarantine(digest, seen, "a test") == BlobStore::Removal::done);
  CHECK(s.store.quarantined() == 1);
  CHECK(testing::read_text(s.dir / paths::quarantined(digest)).size() == 10);
  REQUIRE(s.publish(digest, bytes));
  // Somebody else who had seen the old one.
  CHECK(s.store.quarantine(digest, seen, "a test") == BlobStore::Removal::gone);
  CHECK(s.store.quarantined() == 1);
  CHECK(s.store.find(digest).blob);
  CHECK(read_bytes(seen) == bytes);
}

TEST_CASE(
    "a damaged blob that cannot be moved is removed, and one that cannot be removed says so") {
  Store s;
  const auto digest = digest_of(bytes_of(10));
  REQUIRE(s.publish(digest, bytes_of(10)));
  fs::create_directories(s.dir / paths::quarantined(digest) / "in the way");
  CHECK(s.store.quarantine(digest, *s.store.find(digest).blob, "a test") ==
        BlobStore::Removal::done);
  CHECK(s.store.find(digest).gone);
  REQUIRE(s.publish(digest, bytes_of(10)));
  const auto seen = *s.store.find(digest).blob;
  fs::permissions(s.dir.path(), fs::perms{0755});
  fs::permissions(s.dir / "blobs", fs::perms{0755});
  fs::permissions(s.dir / "quarantine", fs::perms{0755});
  {
    const testing::Unprivileged nobody;
    CHECK(s.store.quarantine(digest, seen, "a test") == BlobStore::Removal::impossible);
  }
  CHECK(s.store.quarantined() == 1);
}

TEST_CASE("directories that vanish are made again") {
  Store s;
  for (std::uint32_t seed = 1; seed < 4; ++seed) {
    const auto bytes = bytes_of(10, seed);
    REQUIRE(s.publish(digest_of(bytes), bytes));
    CHECK(s.store.find(digest_of(bytes)).blob);
    for (const char* name : {"blobs", "fills", "quarantine"}) fs::remove_all(s.dir / name);
  }
}

TEST_CASE("a blob that cannot get its name is not published, and the partial file stays") {
  Store s;
  const auto bytes = bytes_of(10);
  const auto digest = digest_of(bytes);
  fs::create_directories(s.blob(digest).parent_path().parent_path());
  testing::write_text(s.blob(digest).parent_path(), "a file where a directory belongs");
  const auto published = s.publish(digest, bytes);
  REQUIRE_FALSE(published);
  CHECK(published.error().code == Errc::storage_failed);
  CHECK(published.error().context.find(paths::blob_directory(digest)) != std::string::npos);
  CHECK(s.store.find(digest).gone);
  CHECK(testing::entries(s.dir / "fills") == 1);
}

TEST_CASE("unfinished transfers stay, until they are old or room is wanted, unless they are used") {
  Store s;
  const auto old_part = digest_of(bytes_of(1));
  const auto new_part = digest_of(bytes_of(2));
  const auto used_part = digest_of(bytes_of(3));
  for (const auto& digest : {old_part, new_part, used_part}) {
    s.part(digest, bytes_of(10'000));
    if (digest != used_part) s.store.leave_part(digest);
  }
  for (const auto& digest : {old_part, used_part}) {
    fs::last_write_time(s.dir / paths::part(digest),
                        fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  testing::write_text(s.dir / "fills/notes.txt", "somebody's");
  REQUIRE(s.store.open(s.dir.path()));
  CHECK(s.store.parts() == 3);
  CHECK(s.store.remove_parts(std::chrono::hours(24)) >= 10'000);
  CHECK_FALSE(fs::exists(s.dir / paths::part(old_part)));
  CHECK(s.store.parts() == 2);
  CHECK(s.store.remove_parts(std::chrono::hours(0)) >= 10'000);
  CHECK_FALSE(fs::exists(s.dir / paths::part(new_part)));
  CHECK(s.store.parts() == 1);
  CHECK(s.store.remove_parts(std::chrono::hours(0)) == 0);
  s.store.leave_part(used_part);
  CHECK(s.store.remove_parts(std::chrono::hours(0)) >= 10'000);
  CHECK(fs::exists(s.dir / "fills/notes.txt"));
}

TEST_CASE("what stands in a part's place without being a plain file is not taken over") {
  Store s;
  const auto digest = digest_of(bytes_of(1));
  CHECK_FALSE(s.store.open_part(digest));
  fs::create_directory(s.dir / paths::part(digest));
  CHECK_FALSE(s.store.open_part(digest));
  fs::remove(s.dir / paths::part(digest));
  fs::create_symlink("/etc/passwd", s.dir / paths::part(digest));
  CHECK_FALSE(s.store.open_part(digest));
  s.part(digest, bytes_of(10));  // Which takes its place.
  REQUIRE(s.store.open_part(digest));
  CHECK(s.store.open_part(digest)->size == 10);
}

}  // namespace
}  // namespace archway::cache
