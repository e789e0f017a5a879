#include "cache/index_rescue.hpp"

#include "cache/blob_file.hpp"
#include "cache/file_error.hpp"
#include "cache/index_probe.hpp"
#include "cache/paths.hpp"

#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace archway::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view newer_format = "a newer archway wrote it";

/// Whoever went back to an earlier archway may want to go forward again.
Error refuse_newer(const fs::path& data) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "The index " + data.string() +
                     " was written by a newer archway, in a format that this one does not know; it "
                     "is left as it is. Start the newer archway again, or remove " +
                     data.parent_path().string() +
                     " to go on with this one: the blobs stay, and tags are learnt anew."};
}

bool is_there(const fs::path& file) {
  struct stat facts {};
  return ::lstat(file.c_str(), &facts) == 0;
}

/// LMDB follows links and takes an empty file for a new one; we do neither.
std::optional<std::string> oddity_of(const fs::path& file) {
  struct stat facts {};
  if (::lstat(file.c_str(), &facts) != 0) return std::nullopt;
  if (!S_ISREG(facts.st_mode)) return "it is not a plain file";
  if (facts.st_size == 0) return "it is empty";
  return std::nullopt;
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

/// True when the snapshot is the index now.
bool take_snapshot(const fs::path& directory) {
  const auto snapshot = directory / paths::index_snapshot;
  if (!is_there(snapshot) || index_fault(snapshot)) return false;
  std::error_code error;
  fs::rename(snapshot, directory / paths::index_data, error);
  const FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!error && handle.get() >= 0) ::fsync(handle.get());
  return !error;
}

}  // namespace

std::optional<std::string> index_fault(const fs::path& file) {
  if (auto oddity = oddity_of(file)) return oddity;
  auto probe = probe_index(file);
  if (probe.too_slow) probe = probe_index(file);  // What it has read is in memory now.
  if (probe.too_slow) return "reading it took too long, twice";
  if (!probe.finding) return probe.how_it_ended;
  if (*probe.finding == Finding::foreign) return "it is no index, or of another format or machine";
  if (*probe.finding == Finding::newer) return std::string(newer_format);
  if (*probe.finding == Finding::damaged) return "it is damaged";
  return std::nullopt;
}

Result<Rescue> replace_index(const fs::path& directory, const std::string& why) {
  auto moved = set_aside(directory);
  if (!moved) return moved.error();
  return Rescue{
      .set_aside = *std::move(moved), .why = why, .from_snapshot = take_snapshot(directory)};
}

Result<Rescue> rescue_index(const fs::path& directory) {
  const auto data = directory / paths::index_data;
  if (!is_there(data)) return Rescue{.from_snapshot = take_snapshot(directory)};
  const auto fault = index_fault(data);
  if (!fault) return Rescue{};
  if (*fault == newer_format) return refuse_newer(data);
  return replace_index(directory, *fault);
}

}  // namespace archway::cache
