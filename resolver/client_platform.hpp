#pragma once

#include "resolver/model/platform.hpp"
#include "resolver/network.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archway::resolver {

/// Who said which platform a client is, strongest first.
enum class PlatformSource : std::uint8_t {
  path,
  header,
  host,
  listener,
  certificate,
  address,
  user_agent,  ///< a hint, never a statement
  fallback,    ///< `platforms.default`, for clients that cannot choose
  none,
};

/// The word used in `Archway-Platform: linux/arm/v7; by=address`, logs and metrics; "default" for
/// fallback.
std::string_view name(PlatformSource source) noexcept;

/// The same for sentences that a person reads, e.g. "as the client's address says".
std::string_view phrase(PlatformSource source) noexcept;

/// The part of the configuration that says who is what (design: "Which platform a client is").
struct PlatformRules {
  struct ClientRule {
    Network from;
    Platform platform;
    std::vector<Platform> emulates = {};  ///< what else it runs, by binfmt_misc/qemu, in this order
  };
  enum class UserAgent : std::uint8_t { hint, decide, ignore };
  enum class Conflict : std::uint8_t { pass, trust };

  std::string header = "Archway-Platform";
  std::vector<Network> trust = {};             ///< whose header and path are believed; empty: all
  std::map<std::string, Platform> hosts = {};  ///< lower-case host without port -> platform
  std::map<std::string, Platform> certificates = {};  ///< subject common name -> platform
  std::vector<ClientRule> clients = {};
  UserAgent user_agent = UserAgent::hint;
  Conflict conflict = Conflict::pass;
  std::optional<Platform> fallback = Platform{.os = "linux", .architecture = "amd64"};
};

/// What a request tells about its client; views live as long as the request.
struct ClientFacts {
  std::optional<Platform> path = {};
  std::vector<std::string_view> header = {};  ///< every line of the platform header, as sent
  std::string_view host = {};                 ///< Host header, may have a port
  std::string_view server_name = {};          ///< TLS SNI
  std::optional<Platform> listener = {};
  std::string_view certificate = {};  ///< verified subject common name
  Address address = {};
  std::string_view user_agent = {};
  std::vector<std::string_view> accept = {};  ///< every Accept line, as sent
};

/// The answer and its reason.
struct ClientPlatform {
  std::optional<Platform> platform = {};
  std::vector<Platform> emulates = {};
  PlatformSource source = PlatformSource::none;
  bool resolves =
      false;  ///< a tag request is answered for this platform (stated, or a hint that decides)
  bool variant_unknown = false;  ///< the User-Agent named arm without saying which
  /// A rule of the operator's (host to address) and the User-Agent name different architectures:
  /// the sentence for the log. With Conflict::pass, `resolves` is false then.
  std::string conflict = {};
};

/// Errors: Errc::platform_invalid when a believed header cannot be read: a client that states its
/// platform wrongly is told so, never guessed at.
Result<ClientPlatform> client_platform(const ClientFacts& facts, const PlatformRules& rules);

/// True when the Accept lines list no index type and no wildcard: such a client cannot choose from
/// an index itself. A request without Accept can (it takes anything).
bool cannot_choose(const std::vector<std::string_view>& accept);

}  // namespace archway::resolver
