#include "proxy/command/session.hpp"
#include "proxy/upstream/docker_config.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds helper_time_max{60};  // it may ask a person, or a cloud

fs::path config_file(const std::string& folder, const Environment& environment) {
  if (!folder.empty()) return fs::path(folder) / "config.json";
  const auto named = environment.variable("DOCKER_CONFIG");
  if (named && !named->empty()) return fs::path(*named) / "config.json";
  const auto home = environment.variable("HOME");
  if (home && !home->empty()) return fs::path(*home) / ".docker" / "config.json";
  return {};
}

}  // namespace

Result<std::optional<Settings::Credentials>> docker_credentials(const std::string& config_folder,
                                                                const std::string& host,
                                                                const Environment& environment) {
  const auto file = config_file(config_folder, environment);
  std::error_code unknown;
  if (file.empty() || fs::status(file, unknown).type() == fs::file_type::not_found) {
    return std::optional<Settings::Credentials>();
  }
  return credentials_in(
      file, host,
      {.environment = environment, .time = helper_time_max, .errors = ErrorStream::ours});
}

}  // namespace archway::proxy
