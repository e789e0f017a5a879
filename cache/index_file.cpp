#include "cache/index_file.hpp"

#include "cache/blob_file.hpp"
#include "cache/file_error.hpp"
#include "cache/index_rescue.hpp"
#include "cache/paths.hpp"
#include "cache/record_codec.hpp"

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

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

std::string header(bool clean) {
  return codec::write(codec::header_key(), codec::Header{.clean = clean, .boot_id = boot_id()});
}

/// What the file said when it was found.
struct Found {
  std::optional<codec::Header> header = {};
  std::optional<std::uint64_t> suspect_before = {};
  std::uint64_t last_check = 0;
};

Found read_found(const lmdb::Environment& environment) {
  const lmdb::ReadTxn txn(environment);
  const auto number = [&txn](const std::string& key) -> std::optional<std::uint64_t> {
    const auto got = txn.get(lmdb::Table::meta, key);
    return got.found ? codec::read_number(key, got.value) : std::nullopt;
  };
  Found found{.suspect_before = number(codec::suspect_before_key()),
              .last_check = number(codec::last_check_key()).value_or(0)};
  const auto got = txn.get(lmdb::Table::meta, codec::header_key());
  if (got.found) found.header = codec::read_header(codec::header_key(), got.value);
  return found;
}

/// A machine without a clock of its own may think that it is years ago: then one second after the
/// last check has to do.
std::int64_t suspect_before(const Found& found, bool all) {
  if (!all && found.suspect_before) return static_cast<std::int64_t>(*found.suspect_before);
  return std::max<std::int64_t>(std::time(nullptr),
                                static_cast<std::int64_t>(found.last_check) + 1);
}

/// Something may be missing of what was said to be written.
bool machine_went_down(const codec::Header& header) {
  return !header.clean && (header.boot_id.empty() || header.boot_id != boot_id());
}

Attempt attempt(const fs::path& directory, std::uint64_t map_bytes, bool from_snapshot) {
  auto opened = lmdb::Environment::open(directory, map_bytes);
  if (opened.code != 0) return {.code = opened.code};
  Attempt result{.file = {.directory = directory, .environment = std::move(opened.environment)}};
  auto& file = result.file;
  const bool begun = file.environment->empty();
  result.code = begun ? file.environment->make_tables(codec::header_key(), header(false))
                      : file.environment->find_tables();
  if (result.code != 0) return result;
  const auto found = read_found(*file.environment);
  if (!found.header) return {.code = lmdb::damage()};
  if (begun) file.source = IndexFile::Source::begun;
  if (from_snapshot) file.source = IndexFile::Source::snapshot;
  file.was_clean = begun || found.header->clean;
  const bool all = file.source != IndexFile::Source::kept || machine_went_down(*found.header);
  file.suspect_before = suspect_before(found, all);
  file.marked = mark_index(*file.environment, false, file.suspect_before) == 0;
  return result;
}

/// The same without writing anything.
Attempt attempt_to_read(const fs::path& directory, const char* name) {
  const auto path = directory / name;
  if (!fs::exists(fs::symlink_status(path)) || index_fault(path)) return {.code = lmdb::damage()};
  auto opened = lmdb::Environment::open_read_only(path);
  if (opened.code != 0) return {.code = opened.code};
  Attempt result{.file = {.directory = directory,
                          .environment = std::move(opened.environment),
                          .read_only = true}};
  auto& file = result.file;
  if (file.environment->empty()) return {.code = lmdb::damage()};
  result.code = file.environment->find_tables();
  if (result.code != 0) return result;
  const auto found = read_found(*file.environment);
  if (!found.header) return {.code = lmdb::damage()};
  const bool from_snapshot = std::string_view(name) == paths::index_snapshot;
  if (from_snapshot) file.source = IndexFile::Source::snapshot;
  file.was_clean = found.header->clean;
  file.suspect_before = suspect_before(found, from_snapshot || machine_went_down(*found.header));
  return result;
}

/// A file that was just made is durable only when its directory is.
void sync_directory(const fs::path& directory) {
  const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() >= 0) ::fsync(handle.get());
}

}  // namespace

int mark_index(lmdb::Environment& environment, bool clean, std::int64_t suspect_before) {
  lmdb::WriteTxn txn(environment);
  txn.put(lmdb::Table::meta, codec::header_key(), header(clean));
  const auto key = codec::suspect_before_key();
  txn.put(lmdb::Table::meta, key,
          codec::write_number(key, static_cast<std::uint64_t>(suspect_before)));
  return txn.commit();
}

Result<IndexFile> open_index_file(const fs::path& directory, std::uint64_t map_bytes) {
  auto rescue = rescue_index(directory);
  if (!rescue) return rescue.error();
  auto tried = attempt(directory, map_bytes, rescue->from_snapshot);
  if (tried.code != 0 && lmdb::is_damage(tried.code)) {
    tried.file.environment.reset();  // Closed before its file is moved.
    rescue = replace_index(directory, lmdb::text(tried.code));
    if (!rescue) return rescue.error();
    tried = attempt(directory, map_bytes, rescue->from_snapshot);
  }
  if (tried.code != 0) {
    const auto data = directory / paths::index_data;
    return open_error("use the index " + data.string(), lmdb::text(tried.code));
  }
  auto& file = tried.file;
  if (file.source == IndexFile::Source::begun) sync_directory(directory);
  file.set_aside = std::move(rescue->set_aside);
  file.set_aside_why = std::move(rescue->why);
  return std::move(file);
}

IndexFile open_index_file_read_only(const fs::path& directory) {
  for (const char* const name : {paths::index_data, paths::index_snapshot}) {
    auto tried = attempt_to_read(directory, name);
    if (tried.code == 0) return std::move(tried.file);
  }
  return {.directory = directory, .environment = nullptr, .read_only = true};
}

}  // namespace archway::cache
