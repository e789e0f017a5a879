#pragma once

#include "resolver/model/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace archway::resolver {

/// An IP address; IPv4 is held as the IPv6 address that maps it, so one comparison serves both.
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  /// Errors: Errc::configuration_invalid.
  static Result<Address> parse(std::string_view text);
  std::string str() const;

  friend auto operator<=>(const Address&, const Address&) = default;
};

/// A range of addresses: `10.20.0.0/16`, `fd00::/8`, or one address without a slash.
struct Network {
  Address base;
  std::uint8_t prefix_bits = 128;  ///< counted in the 128-bit form: 10.0.0.0/8 has 104

  /// Errors: Errc::configuration_invalid, also when bits behind the prefix are set (a typing error
  /// more often than not); the message names the network that was probably meant.
  static Result<Network> parse(std::string_view text);
  bool contains(const Address& address) const noexcept;
  std::string str() const;

  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace archway::resolver
