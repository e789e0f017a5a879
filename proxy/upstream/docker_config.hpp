#pragma once

#include "proxy/child_process.hpp"
#include "proxy/config/environment.hpp"
#include "proxy/config/settings.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace archway::proxy {

/// How a credential helper is run.
struct HelperRun {
  const Environment& environment;  ///< its PATH is where the program is looked for
  std::chrono::milliseconds time;  ///< it is killed after that
  ErrorStream errors = ErrorStream::nowhere;
};

/// What `docker-credential-HELPER get` knows of a registry: a user name with its password, or
/// identity_token_user with an identity token; none when it knows none. Blocks.
///
/// Errors: Errc::configuration_invalid; the message names the program, and has its own words where
/// it failed.
///
/// Source: docs.docker.com, "docker login", section on credential helpers.
Result<std::optional<Settings::Credentials>> credentials_of_helper(const std::string& helper,
                                                                   const std::string& host,
                                                                   const HelperRun& run);

/// What a docker `config.json` has for a registry, in `auths` or by the helper that `credHelpers`
/// or `credsStore` names; none when it has none. Blocks.
///
/// Errors: Errc::configuration_invalid; the message names the file.
///
/// Source: docs.docker.com, "docker login", sections on credential stores and helpers.
Result<std::optional<Settings::Credentials>> credentials_in(const std::filesystem::path& file,
                                                            const std::string& host,
                                                            const HelperRun& run);

}  // namespace archway::proxy
