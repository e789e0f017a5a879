#pragma once

#include "cache/blob_file.hpp"
#include "cache/cache.hpp"
#include "cache/hasher.hpp"
#include "cache/index_file.hpp"
#include "cache/lmdb.hpp"
#include "cache/record_codec.hpp"

#include <bit>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

/// What the tests of cache/ share.
namespace archway::cache::testing {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

/// A place where syncing costs nothing, for tests that open hundreds of caches.
inline fs::path in_memory() {
  const fs::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
}

/// A directory that goes away with everything in it.
class TempDir {
 public:
  explicit TempDir(const fs::path& where = fs::temp_directory_path()) {
    auto pattern = (where / "archway-cache-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  fs::path operator/(const fs::path& name) const { return path_ / name; }

 private:
  fs::path path_;
};

/// Bytes without a pattern that a wrong offset could hide in; the same for the same seed.
inline Bytes bytes_of(std::size_t count, std::uint32_t seed = 1) {
  std::mt19937 generator(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

inline Digest digest_of(std::span<const std::uint8_t> bytes,
                        Digest::Algorithm algorithm = Digest::Algorithm::sha256) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return *hasher.finish();
}

/// The bytes [0, count) of an open file; fewer where it ends before.
inline Bytes read_bytes(int fd, std::uint64_t count) {
  Bytes bytes(count);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

inline Bytes read_bytes(const BlobFile& blob) {
  return read_bytes(blob.file->get(), blob.size);
}

inline std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  REQUIRE(file.good());
}

/// How many entries a directory has.
inline std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

/// How many of them have a name that begins so.
inline std::size_t entries_with(const fs::path& directory, std::string_view prefix) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    count += entry.path().filename().string().starts_with(prefix) ? 1 : 0;
  }
  return count;
}

/// Flips one bit in every occurrence of `pattern` in a file, which somebody may have open; how many
/// there were.
inline int flip_bits(const fs::path& path, std::string_view pattern) {
  const auto text = read_text(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  int count = 0;
  for (auto at = text.find(pattern); at != std::string::npos; at = text.find(pattern, at + 1)) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(text[at] ^ 4));
    ++count;
  }
  REQUIRE(file.flush().good());
  return count;
}

/// The header of an index of that format, otherwise as this machine writes it.
inline std::string header_of_format(std::uint32_t format) {
  return codec::ValueWriter()
      .text("archway index")
      .u32(format)
      .u8(sizeof(void*))
      .u8(std::endian::native == std::endian::little ? 1 : 2)
      .u8(1)
      .text("boot")
      .seal(codec::header_key());
}

/// No flipped bit, missing piece or piece too much of a value reads as a record.
inline void check_no_damage_is_read(const std::string& value,
                                    const std::function<bool(const std::string&)>& reads) {
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    CAPTURE(bit);
    auto damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    CHECK_FALSE(reads(damaged));
  }
  for (std::size_t size = 0; size < value.size(); ++size) CHECK_FALSE(reads(value.substr(0, size)));
  CHECK_FALSE(reads(value + '\0'));
}

inline ImageName image(std::string_view repository, std::string upstream = "docker.io") {
  return {.upstream = std::move(upstream), .repository = *Repository::parse(repository)};
}

inline Tag tag(std::string_view text) {
  return *Tag::parse(text);
}

/// Commits, and waits until the index says how it went.
inline Result<void> commit(Index& index, Changes changes) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<void>> outcome;
  index.commit(std::move(changes), [&](Result<void> result) {
    const std::lock_guard lock(mutex);
    outcome = std::move(result);
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return outcome.has_value(); });
  return *outcome;
}

/// Waits until the fill is over.
inline Fill::State end_of(Fill& fill) {
  std::mutex mutex;
  std::condition_variable changed;
  for (;;) {
    const auto state = fill.state();
    if (state.verified || state.failed) return state;
    bool moved = false;
    fill.when_past(state.version, [&] {
      const std::lock_guard lock(mutex);
      moved = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return moved; });
  }
}

/// What an index that nobody has open says of its last use.
inline void rewrite_header(const fs::path& index, const codec::Header& header) {
  auto opened = lmdb::Environment::open(index, map_bytes_default);
  REQUIRE(opened.code == 0);
  REQUIRE(opened.environment->find_tables() == 0);
  lmdb::WriteTxn txn(*opened.environment);
  txn.put(lmdb::Table::meta, codec::header_key(), codec::write(codec::header_key(), header));
  REQUIRE(txn.commit() == 0);
}

/// The machine goes down while this cache, closed by now, was still in use.
inline void pretend_power_cut(const fs::path& directory) {
  rewrite_header(directory / "index", {.clean = false, .boot_id = "the boot before"});
}

inline std::unique_ptr<Cache> open_cache(const fs::path& directory, bool sync = true) {
  auto cache = Cache::open({.directory = directory, .sync = sync}, nullptr);
  if (!cache) FAIL(cache.error().message);
  return *std::move(cache);
}

/// Brings a blob in the ordinary way.
inline Digest publish(Cache& cache, const Bytes& bytes,
                      Digest::Algorithm algorithm = Digest::Algorithm::sha256) {
  const auto digest = digest_of(bytes, algorithm);
  const auto access = cache.open_or_join(digest, "docker.io/library/hi");
  REQUIRE(access.writer != nullptr);
  REQUIRE(access.writer->begin(bytes.size()));
  REQUIRE(access.writer->append(bytes));
  const auto finished = access.writer->finish();
  if (!finished) FAIL(finished.error().context);
  return digest;
}

/// For its lifetime this process may do no more than an ordinary user: permissions mean nothing to
/// root.
class Unprivileged {
 public:
  Unprivileged() {
    if (::geteuid() == 0) REQUIRE(::seteuid(65534) == 0);
  }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() {
    if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
  }
};

/// All of a blob that nobody has to bring: from its file, or from it once it is hashed.
inline Bytes whole_of(Cache& cache, const Digest& digest) {
  const auto access = cache.open_or_join(digest, "docker.io/library/hi");
  CHECK(access.writer == nullptr);
  if (access.blob) return read_bytes(*access.blob);
  REQUIRE(access.fill != nullptr);
  const auto state = end_of(*access.fill);
  CHECK(state.verified);
  return read_bytes(access.fill->file()->get(), state.released);
}

}  // namespace archway::cache::testing
