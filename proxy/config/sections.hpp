#pragma once

#include "proxy/config/section.hpp"
#include "proxy/config/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The readers of the file's sections, one source file each. Each overwrites the defaults in
/// `settings` by what it finds and reports what it cannot use.
namespace archway::proxy {

/// drain, threads, connections_max, offline, log
void read_process(const Section& file, Settings& settings);
void read_listeners(const Section& file, Settings& settings);  ///< listen, admin
void read_cache(const Section& file, Settings& settings);
void read_upstreams(const Section& file, Settings& settings);
void read_access(const Section& file, Settings& settings);  ///< the section of that name
void read_tags(const Section& file, Settings& settings);
void read_rewrite(const Section& file, Settings& settings);    ///< after the upstreams
void read_images(const Section& file, Settings& settings);     ///< after the upstreams
void read_platforms(const Section& file, Settings& settings);  ///< after the listeners
void read_prefetch(const Section& file, Settings& settings);   ///< after the tags
void read_timeouts(const Section& file, Settings& settings);

/// The part of `platforms` that says what a platform means: answer, missing, wrong, allow, rules.
void read_policy(const Section& platforms, Settings& settings);

/// Warns of platforms that `platforms.allow` leaves out though something else names them. For when
/// everything is read.
void check_allowed(const Settings& settings, Reading& reading);

/// The `access` of a listener whose `tls` was read.
Settings::Door read_door(const Value& value, const Settings::Listener& listener);

/// `access` and `recheck` of one upstream. With credentials somebody has to say who may use them.
void read_upstream_access(const Section& section, Settings::Upstream& upstream);

/// The `credentials` of one upstream, one or a list of them; reads the variable that holds a
/// password and looks whether the files can be read.
std::vector<Settings::Credentials> read_credentials(const Value& value);

/// What of fresh_for, stale_for and serve_deleted stands in the section.
resolver::TagChanges read_tag_changes(const Section& section);

/// The part of an upstream that says how it is reached: proxy, certificates, redirects.
void read_transport(const Section& section, Settings::Upstream& upstream);

/// A pattern for `upstream/repository` (`with_tag`: and `:tag`) that can match something.
std::optional<std::string> read_pattern(const Value& value, bool with_tag);

/// A platform, noted for check_allowed(); warns when system or architecture are none that are
/// known.
std::optional<Platform> read_platform(const Value& value);

/// As one_of() of the value, where the key is there.
template <class T>
std::optional<T> read_word(const Section& section, std::string_view key,
                           std::span<const std::pair<std::string_view, T>> choices) {
  const auto value = section.find(key);
  if (!value) return std::nullopt;
  return value->one_of<T>(choices);
}

/// A host name without a port, in lower case.
std::optional<std::string> read_host(const Value& value);

/// Reports a file that cannot be read. `secret`: warns when everybody can.
void check_file(const Value& value, const std::filesystem::path& path, bool secret);

}  // namespace archway::proxy
