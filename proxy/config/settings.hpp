#pragma once

#include "metrics/log.hpp"
#include "resolver/client_platform.hpp"
#include "resolver/freshness.hpp"
#include "resolver/model/virtual_image.hpp"
#include "resolver/network.hpp"
#include "resolver/proxy_rules.hpp"
#include "resolver/rewrite.hpp"
#include "resolver/upstream_of.hpp"
#include "resolver/url.hpp"
#include "resolver/verdict.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace archway::proxy {

/// Everything an operator can say, checked, with defaults filled in. Read once at start; parts are
/// handed to whoever needs them, by value or const reference. Times are std::chrono, sizes bytes.
struct Settings {
  /// `address:port`, or `unix:/path` for the admin listener.
  struct Endpoint {
    std::string address;  ///< an IP literal; "" for a unix socket
    std::uint16_t port = 0;
    std::string unix_path = {};
    std::string str() const;  ///< as written in the configuration
  };
  struct Tls {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path client_ca = {};  ///< "" : clients are not asked for a certificate
    bool client_required = false;          ///< a client without a valid one is turned away
  };
  /// Who is served on a port: whoever meets all that is said here.
  struct Door {
    std::vector<resolver::Network> from = {};  ///< empty: from everywhere
    std::filesystem::path htpasswd = {};       ///< "" : without a name and password
    bool certificates = false;                 ///< a verified client certificate is needed
  };
  struct Listener {
    Endpoint endpoint;
    std::optional<Tls> tls = {};
    std::optional<Platform> platform = {};  ///< everyone on this port
    std::optional<Door> access = {};        ///< none: whoever reaches it
  };
  /// One way to log in: a name with its password, or who knows them.
  struct Credentials {
    std::string username = {};
    std::string password = {};  ///< never printed: `config show` masks it
    /// In place of `password`: looked at when it is needed, and read again when it has changed.
    std::filesystem::path password_file = {};
    std::filesystem::path docker_config = {};  ///< in place of all above; read again likewise
    std::string helper = {};                   ///< the same: `docker-credential-NAME` is asked
  };
  struct ClientCertificate {
    std::filesystem::path certificate;
    std::filesystem::path key;
  };
  /// Who has what archway fetched.
  enum class Access : std::uint8_t {
    shared,  ///< what archway may fetch, its clients may have
    client,  ///< a client has what its own credentials are good for at the upstream
  };
  struct Upstream {
    std::string name;   ///< as in image names: `docker.io`, `registry.lan:5000`
    resolver::Url url;  ///< where it really is
    /// Further places of the same registry, asked in this order when those before them fail.
    std::vector<resolver::Url> further_urls = {};
    bool is_default = false;
    std::vector<Credentials> credentials = {};  ///< the first that is good for something is used
    std::filesystem::path ca_file = {};         ///< "" : the system's CAs
    std::optional<ClientCertificate> client_certificate = {};  ///< shown to it and its token realms
    std::string server_name = {};  ///< in its certificate; "" : the URL's host
    resolver::ProxyRules proxy = {};
    bool proxy_is_its_own = false;               ///< not the environment's
    std::vector<std::string> redirects = {};     ///< patterns of hosts it may lead to; empty: any
    std::vector<std::string> hosts = {};         ///< Host headers that mean this upstream
    std::vector<std::string> token_realms = {};  ///< further hosts that may see the credentials
    unsigned requests = 0;                       ///< at once, over all threads; 0: no limit
    std::uint64_t bandwidth = 0;                 ///< bytes a second of all transfers; 0: no limit
    std::optional<Access> access = {};           ///< none: nobody said, so shared
    /// How long the upstream's word about a client's credentials is believed.
    std::chrono::seconds recheck = std::chrono::minutes(15);
  };
  /// Exceptions to what upstreams say, and which images there are at all. Patterns are globs over
  /// `upstream/repository`.
  struct ImageAccess {
    struct Rule {
      std::string match;
      Access access;
    };
    std::vector<Rule> rules = {};         ///< the first that matches counts
    std::vector<std::string> allow = {};  ///< empty: every image
    std::vector<std::string> deny = {};   ///< goes before `allow`
  };
  struct Cache {
    std::filesystem::path directory;
    std::uint64_t max_size = 0;  ///< 0: no limit of its own
    std::uint64_t keep_free = 0;
    std::vector<std::string> pin = {};  ///< globs over `upstream/repository:tag`
    bool strict = true;                 ///< durability
    std::chrono::seconds scrub{0};      ///< 0: off
  };
  struct PlatformPolicyRule {
    std::string match;  ///< a glob over `upstream/repository`
    /// What differs from the policy for everything else; at least one is there.
    std::optional<resolver::VerdictPolicy::Answer> answer = {};
    std::optional<resolver::VerdictPolicy::Missing> missing = {};
    std::optional<resolver::VerdictPolicy::Wrong> wrong = {};
  };
  struct Rewrite {
    bool architecture_organisations = false;
    std::vector<resolver::RewriteRule> rules = {};
  };
  /// Fetching before anyone asks.
  struct Prefetch {
    bool layers = false;     ///< of a manifest that was just handed out
    bool seen = false;       ///< of a tag that moved, for the platforms that pull it
    unsigned transfers = 4;  ///< at once
    std::chrono::seconds forget =
        std::chrono::hours(24 * 30);  ///< a tag that nobody pulled for so long
  };
  struct Timeouts {
    std::chrono::milliseconds resolve = std::chrono::seconds(5);      ///< a name to addresses
    std::chrono::milliseconds connect = std::chrono::seconds(5);      ///< one address
    std::chrono::milliseconds tls = std::chrono::seconds(10);         ///< a handshake
    std::chrono::milliseconds first_byte = std::chrono::seconds(30);  ///< an upstream's headers
    std::chrono::milliseconds stall =
        std::chrono::seconds(30);  ///< an upstream's silence in a body
    /// Bytes a second at least, over the time that was spent on waiting for them; 0: any.
    std::uint64_t minimum_rate = 1024;
    /// So much waiting is looked at at once.
    std::chrono::milliseconds minimum_rate_over = std::chrono::seconds(60);
    /// Before a cut transfer goes on, and before a silent upstream is probed; doubled each time.
    std::chrono::milliseconds retry_pause = std::chrono::milliseconds(200);
    /// How long a transfer that was cut is tried again without getting anywhere.
    std::chrono::milliseconds retry_for = std::chrono::minutes(1);
    std::chrono::milliseconds request =
        std::chrono::seconds(10);                               ///< a client's whole header block
    std::chrono::milliseconds idle = std::chrono::seconds(60);  ///< a client between requests
    std::chrono::milliseconds client_stall =
        std::chrono::seconds(60);  ///< a client that takes less than 64 KiB
  };

  std::vector<Listener> listen;
  std::optional<Endpoint> admin;  ///< none: `admin: none`
  std::chrono::seconds drain = std::chrono::seconds(25);
  unsigned threads = 0;                    ///< 0: one for each core
  std::uint32_t connections_max = 20'000;  ///< clients at once; further ones wait in the backlog
  bool offline = false;                    ///< no upstream is ever asked
  Cache cache;
  std::vector<Upstream> upstreams;
  ImageAccess access;
  resolver::TagRules tags;
  resolver::PlatformRules platforms;
  resolver::VerdictPolicy policy;
  std::vector<PlatformPolicyRule> policy_rules;  ///< the first that matches counts
  Rewrite rewrite;
  std::vector<VirtualImage> images;  ///< no name and tag twice
  Prefetch prefetch;
  Timeouts timeouts;
  metrics::Level log_level = metrics::Level::info;
  metrics::LogFormat log_format = metrics::LogFormat::automatic;
};

/// The policy for an image: the general one, with what the first rule that matches changes.
/// `rule`, when given, is set to that rule's pattern; left alone when none matches.
resolver::VerdictPolicy policy_for(const Settings& settings, const ImageName& image,
                                   std::string* rule = nullptr);

/// The configured names in the resolver's shape.
resolver::UpstreamNames upstream_names(const Settings& settings);

}  // namespace archway::proxy
