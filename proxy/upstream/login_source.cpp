#include "proxy/upstream/login_source.hpp"

#include "proxy/config/password_file.hpp"

#include <sys/stat.h>
#include <utility>

namespace archway::proxy {
namespace {

using Credentials = Settings::Credentials;
using Found = Result<std::optional<Credentials>>;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .modified_ns = nanoseconds(status.st_mtim),
                   .changed_ns = nanoseconds(status.st_ctim)};
}

Found from_password_file(const Credentials& source) {
  auto file = read_password_file(source.password_file);
  if (!file) return file.error();
  return std::optional(
      Credentials{.username = source.username, .password = std::move(file->password)});
}

Found from_others(const Credentials& source, const std::vector<std::string>& names,
                  const HelperRun& run) {
  for (const auto& name : names) {
    auto found = source.helper.empty() ? credentials_in(source.docker_config, name, run)
                                       : credentials_of_helper(source.helper, name, run);
    if (!found || *found) return found;
  }
  return std::optional<Credentials>();
}

}  // namespace

std::vector<std::string> login_names(const Settings::Upstream& upstream) {
  std::vector<std::string> names = {upstream.name};
  auto place = upstream.url.authority();
  if (place == "registry-1.docker.io") place = "docker.io";  // What docker logs in to for it.
  if (place != upstream.name) names.push_back(std::move(place));
  return names;
}

Result<LoginLook> look_for_login(const Credentials& source, const std::vector<std::string>& names,
                                 const std::optional<FileStamp>& seen, const HelperRun& run) {
  const auto& file = source.password_file.empty() ? source.docker_config : source.password_file;
  LoginLook look;
  // Before it is read: what is written meanwhile is seen by the next look.
  if (!file.empty()) look.stamp = stamp_of(file);
  look.unchanged = look.stamp && look.stamp == seen;
  if (look.unchanged) return look;
  auto found =
      source.password_file.empty() ? from_others(source, names, run) : from_password_file(source);
  if (!found) return found.error();
  look.found = *std::move(found);
  return look;
}

}  // namespace archway::proxy
