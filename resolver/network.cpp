#include "resolver/network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstddef>
#include <optional>

namespace archway::resolver {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int mapped_bits = 96;

Error invalid(std::string_view text, std::string_view what, std::string_view why) {
  constexpr std::size_t shown_max = 100;
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = "\"" + std::string(text.substr(0, shown_max)) + "\" is not " +
                     std::string(what) + ": " + std::string(why)};
}

bool is_mapped(const Address& address) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
}

/// The address with every bit behind the first `bits` cleared.
Address masked(Address address, int bits) {
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const int keep = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    address.bytes[i] = static_cast<std::uint8_t>(address.bytes[i] & (0xff00 >> keep));
  }
  return address;
}

std::optional<int> number(std::string_view text, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text[0] == '-') return {};
  if (value > max) return {};
  return value;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  Address address;
  // inet_pton wants a terminator; a text with a NUL of its own would be read only up to it.
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
  const bool clean = text.size() < INET6_ADDRSTRLEN && text.find('\0') == std::string_view::npos;
  if (clean && text.find(':') != std::string_view::npos) {
    if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  } else if (clean) {
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
    auto* const tail = address.bytes.data() + mapped_prefix.size();
    if (::inet_pton(AF_INET, terminated.c_str(), tail) == 1) return address;
  }
  return invalid(text, "an IP address", "write it like 10.20.0.1 or fd00::1");
}

std::string Address::str() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_mapped(*this);
  const auto* const from = v4 ? bytes.data() + mapped_prefix.size() : bytes.data();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, from, text.data(), text.size());
  return text.data();
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  auto base = Address::parse(text.substr(0, slash));
  if (!base) return invalid(text, "a network", "write it like 10.20.0.0/16 or fd00::/8");
  Network network{.base = *base};
  if (slash == std::string_view::npos) return network;

  const bool v4 = text.find(':') == std::string_view::npos;
  const auto bits = number(text.substr(slash + 1), v4 ? 32 : 128);
  if (!bits) {
    return invalid(text, "a network",
                   v4 ? "a number from 0 to 32 stands behind the slash"
                      : "a number from 0 to 128 stands behind the slash");
  }
  network.prefix_bits = static_cast<std::uint8_t>(v4 ? *bits + mapped_bits : *bits);
  const auto meant = masked(network.base, network.prefix_bits);
  if (meant != network.base) {
    const Network nearest{.base = meant, .prefix_bits = network.prefix_bits};
    return invalid(text, "a network",
                   "bits behind the prefix are set; did you mean " + nearest.str() + "?");
  }
  return network;
}

bool Network::contains(const Address& address) const noexcept {
  return masked(address, prefix_bits) == base;
}

std::string Network::str() const {
  if (prefix_bits == 128) return base.str();
  const bool v4 = is_mapped(base) && prefix_bits >= mapped_bits;
  return base.str() + "/" + std::to_string(v4 ? prefix_bits - mapped_bits : prefix_bits);
}

}  // namespace archway::resolver
