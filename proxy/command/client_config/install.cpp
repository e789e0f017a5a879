#include "proxy/command/client_config/install.hpp"

#include "proxy/config/small_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace archway::proxy {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr int backups_max = 1000;
constexpr mode_t default_mode = 0644;

Error untouched(const std::string& message) {
  return {.code = Errc::configuration_invalid, .origin = Origin::configuration, .message = message};
}

Error failed(const std::string& what, const fs::path& path, const std::error_code& error) {
  return {.code = Errc::storage_failed,
          .origin = Origin::storage,
          .message = "cannot " + what + " " + path.string() + ": " + error.message()};
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// FILE.archway-backup-N with the first N that is free.
Result<fs::path> backup_of(const fs::path& target) {
  for (int i = 1; i <= backups_max; ++i) {
    const fs::path backup = target.string() + ".archway-backup-" + std::to_string(i);
    std::error_code error;
    const auto status = fs::symlink_status(backup, error);
    if (status.type() == fs::file_type::not_found) return backup;
  }
  return untouched(target.string() + " has " + std::to_string(backups_max) +
                   " backups; remove some of them");
}

Result<Installing> plan_one(const ClientFile& file, const fs::path& root) {
  if (!file.path.starts_with('/')) {
    return untouched(
        "this client has no file on the machine to install; print it, and apply it "
        "with the client's own command");
  }
  Installing plan{.target = root / file.path.substr(1), .text = file.text};
  std::error_code error;
  const auto status = fs::symlink_status(plan.target, error);
  if (status.type() == fs::file_type::not_found) return plan;
  if (status.type() == fs::file_type::none) {
    return untouched("cannot look at " + plan.target.string() + ": " + error.message());
  }
  if (status.type() != fs::file_type::regular) {
    return untouched(plan.target.string() +
                     " is no regular file; nothing was changed. Install it by hand");
  }
  const auto existing = read_small_file(plan.target, file_bytes_max);
  if (!existing) return existing.error();
  plan.exists = true;
  if (file.combine) {
    auto combined = file.combine(existing->text);
    if (!combined) return combined.error();
    plan.text = *std::move(combined);
  }
  plan.changes = plan.text != existing->text;
  if (!plan.changes) return plan;
  auto backup = backup_of(plan.target);
  if (!backup) return backup.error();
  plan.backup = *std::move(backup);
  return plan;
}

Result<void> write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path, last_error());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return failed("write", path, last_error());
  return {};
}

/// The new file takes the old one's mode and owner; who may not give files away keeps their own.
Result<void> take_on(int fd, const Installing& file, const fs::path& path) {
  struct stat old {};
  const bool known = file.exists && ::stat(file.target.c_str(), &old) == 0;
  const auto mode = known ? static_cast<mode_t>(old.st_mode & 07777U) : default_mode;
  if (known && ::fchown(fd, old.st_uid, old.st_gid) != 0 && errno != EPERM) {
    return failed("write", path, last_error());
  }
  if (::fchmod(fd, mode) != 0) return failed("write", path, last_error());
  return {};
}

/// Beside the target, so that one rename puts it in place.
Result<void> write_new(const Installing& file) {
  std::string name = file.target.string() + ".archway-new-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return failed("write", file.target, last_error());
  auto done = write_all(fd, file.text, name);
  if (done) done = take_on(fd, file, name);
  ::close(fd);
  if (done && ::rename(name.c_str(), file.target.c_str()) != 0) {
    done = failed("replace", file.target, last_error());
  }
  if (!done) ::unlink(name.c_str());
  return done;
}

}  // namespace

Result<std::vector<Installing>> plan_install(const ClientFiles& files, const fs::path& root) {
  std::vector<Installing> plans;
  for (const ClientFile& file : files.files) {
    auto plan = plan_one(file, root);
    if (!plan) return plan.error();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

Result<void> install(const Installing& file) {
  if (!file.changes) return {};
  std::error_code error;
  fs::create_directories(file.target.parent_path(), error);
  if (error) return failed("make the folder", file.target.parent_path(), error);
  if (!file.backup.empty()) {
    fs::copy_file(file.target, file.backup, fs::copy_options::none, error);
    if (error) return failed("write the backup", file.backup, error);
  }
  return write_new(file);
}

}  // namespace archway::proxy
