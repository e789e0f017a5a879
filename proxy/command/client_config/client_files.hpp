#pragma once

#include "resolver/model/platform.hpp"
#include "resolver/model/result.hpp"
#include "resolver/url.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// What a client is to be told.
struct ClientWish {
  resolver::Url gateway;                    ///< scheme, host and port count
  std::optional<Platform> platform = {};    ///< none: nothing is stated
  std::vector<std::string> upstreams = {};  ///< that it mirrors; empty: all
  std::vector<std::string> known = {};      ///< all, for clients that must be told each one
  std::string header = "Archway-Platform";  ///< the gateway's `platforms.header`
};

/// One file of a client's configuration.
struct ClientFile {
  std::string path;  ///< absolute; without a folder: for the person to put where it belongs
  std::string text;
  /// What becomes of a file that is there already, from its text; empty: `text` in its place.
  /// Errors: Errc::configuration_invalid where that one is better left alone; the message says why.
  std::function<Result<std::string>(const std::string& existing)> combine = {};
};

struct ClientFiles {
  std::vector<ClientFile> files;
  std::vector<std::string> notes = {};  ///< what the person must know, a sentence or more each
  std::string next = {};                ///< the command that makes the client read them; "" : none
};

/// A client that can be configured.
struct Client {
  std::string_view name;  ///< on the command line
  /// Errors: Errc::platform_invalid for a platform that this client cannot state.
  Result<ClientFiles> (*files)(const ClientWish& wish);
  /// Where its program is, best known place first: its platform is the client's.
  std::vector<std::string_view> programs;
};
std::span<const Client> clients();

Result<ClientFiles> docker_files(const ClientWish& wish);
Result<ClientFiles> containerd_files(const ClientWish& wish);
Result<ClientFiles> k3s_files(const ClientWish& wish);
Result<ClientFiles> podman_files(const ClientWish& wish);
Result<ClientFiles> crio_files(const ClientWish& wish);
Result<ClientFiles> buildkit_files(const ClientWish& wish);
Result<ClientFiles> talos_files(const ClientWish& wish);

/// The comment that begins a file of ours: its path, and that we wrote it.
std::string first_line(std::string_view path);
/// ClientFile::combine for files that cannot be merged: in place of one that first_line() begins,
/// of no other.
std::function<Result<std::string>(const std::string&)> only_ours(const std::string& path,
                                                                 const std::string& text);

/// `/platform/linux-arm-v7`, or "" when no platform is stated.
///
/// Errors: Errc::platform_invalid when a path cannot say it (os.version, os.features).
Result<std::string> platform_path(const ClientWish& wish);

/// Those of the wish, else all known ones.
const std::vector<std::string>& each_upstream(const ClientWish& wish);

}  // namespace archway::proxy
