#include "cache/index_file.hpp"

#include "cache/blob_file.hpp"
#include "cache/file_error.hpp"
#include "cache/paths.hpp"
#include "cache/record_codec.hpp"

#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;

/// One attempt: a file, or the code why not.
struct Attempt {
  IndexFile file;
  int code = 0;
};

std::string boot_id() {
  std::ifstream source("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(source, id);
  return id.substr(0, 64);
}

/// LMDB follows links and takes an empty file for a new one; we do neither. What cannot be looked
/// at is left to LMDB to complain about.
bool is_plain_or_absent(const fs::path& data) {
  struct stat facts {};
  if (::lstat(data.c_str(), &facts) != 0) return true;
  return S_ISREG(facts.st_mode) && facts.st_size > 0;
}

std::string header(bool clean) {
  return codec::write(codec::header_key(), codec::Header{.clean = clean, .boot_id = boot_id()});
}

Attempt attempt(const fs::path& directory, std::uint64_t map_bytes) {
  if (!is_plain_or_absent(directory / paths::index_data)) return {.code = lmdb::damage()};
  auto opened = lmdb::Environment::open(directory, map_bytes);
  if (opened.code != 0) return {.code = opened.code};
  Attempt result{.file = {.environment = std::move(opened.environment)}};
  auto& environment = *result.file.environment;
  if (environment.empty()) {
    result.code = environment.make_tables(codec::header_key(), header(false));
    result.file.marked = result.code == 0;
    return result;
  }
  result.code = environment.find_tables();
  if (result.code != 0) return result;
  std::optional<codec::Header> found;
  {
    const lmdb::ReadTxn txn(environment);
    const auto got = txn.get(lmdb::Table::meta, codec::header_key());
    if (got.found) found = codec::read_header(codec::header_key(), got.value);
  }
  if (!found) return {.code = lmdb::damage()};
  result.file.was_clean = found->clean;
  result.file.marked = mark_index(environment, false) == 0;
  return result;
}

void remove_older_bad(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> older;
  for (fs::directory_iterator entry(directory, ignored), end; entry != end;
       entry.increment(ignored)) {
    const auto name = entry->path().filename().string();
    if (name.starts_with(paths::bad_index_prefix)) older.push_back(entry->path());
  }
  for (const auto& path : older) fs::remove_all(path, ignored);
}

Result<fs::path> set_aside(const fs::path& directory) {
  remove_older_bad(directory);
  const auto from = directory / paths::index_data;
  auto to = directory / paths::bad_index(std::time(nullptr));
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return open_error("set the damaged " + from.string() + " aside", error.message());
  return to;
}

/// A file that was just made is durable only when its directory is.
void sync_directory(const fs::path& directory) {
  const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() >= 0) ::fsync(handle.get());
}

}  // namespace

int mark_index(lmdb::Environment& environment, bool clean) {
  lmdb::WriteTxn txn(environment);
  txn.put(lmdb::Table::meta, codec::header_key(), header(clean));
  return txn.commit();
}

Result<IndexFile> open_index_file(const fs::path& directory, std::uint64_t map_bytes) {
  const auto data = directory / paths::index_data;
  std::error_code unknown;
  const bool existed = fs::exists(fs::symlink_status(data, unknown));
  auto tried = attempt(directory, map_bytes);
  std::optional<fs::path> bad;
  std::string why;
  if (tried.code != 0 && lmdb::is_damage(tried.code)) {
    tried.file.environment.reset();  // Closed before its file is moved.
    auto moved = set_aside(directory);
    if (!moved) return moved.error();
    bad = *std::move(moved);
    why = lmdb::text(tried.code);
    tried = attempt(directory, map_bytes);
  }
  if (tried.code != 0) return open_error("use the index " + data.string(), lmdb::text(tried.code));
  if (!existed || bad) sync_directory(directory);
  tried.file.set_aside = std::move(bad);
  tried.file.set_aside_why = std::move(why);
  return std::move(tried.file);
}

}  // namespace archway::cache
