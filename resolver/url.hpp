#pragma once

#include "resolver/model/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace archway::resolver {

/// An absolute http or https URL, as far as a registry client needs one; always one that can be
/// dialled and written into a request line as it is.
struct Url {
  static constexpr std::size_t length_max = 16 * 1024;  ///< signed CDN links take several KiB

  std::string scheme;      ///< "http" or "https"
  std::string host;        ///< lower-case name or address, IPv6 without its brackets
  std::uint16_t port = 0;  ///< always filled: 80 or 443 where the text has none
  std::string target;      ///< path and query, starts with "/"; never decoded

  /// Strict: no user information, no fragment, no empty port, printable ASCII alone. A host that
  /// ends in a number is an IPv4 address in four decimal parts and nothing else, because a system's
  /// resolver would read `0x7f.1` and `2130706433` as addresses, too.
  ///
  /// Errors: Errc::configuration_invalid.
  static Result<Url> parse(std::string_view text);

  /// What a Host header says: the host, in brackets if IPv6, and the port unless it is the
  /// scheme's.
  std::string authority() const;
  /// `https://host[:port]`: equal for two URLs if and only if they are of one origin.
  ///
  /// Source: RFC 6454 section 6.2.
  std::string origin() const;
  std::string str() const;

  friend bool operator==(const Url&, const Url&) = default;
};

}  // namespace archway::resolver
