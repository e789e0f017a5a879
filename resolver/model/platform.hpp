#pragma once

#include "resolver/model/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace archway {

/// What an image runs on, or what a client is:
/// `os[(os.version[+feature]*)]/architecture[/variant]`.
///
/// Values made by parse() and normalised() are normal (`aarch64` is `arm64`, `x86_64` is `amd64`,
/// arm64's `v8` is no variant, plain `arm` is `v7`), so equality is member equality.
///
/// Source: OCI Image Spec v1.1, image-index.md, property "platform"; the normal forms are
/// containerd's (github.com/containerd/platforms, package documentation).
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant = {};
  std::string os_version = {};
  std::vector<std::string> os_features = {};  ///< sorted

  /// Reads the form above, also with `os` left out (`arm64` is `linux/arm64`, `arm/v6` is
  /// `linux/arm/v6`; `windows` alone names no machine), and `-` for `/` (`linux-arm-v7`) by
  /// parse_token(). What `uname -m` and dpkg call an architecture is understood here (`armv7l`,
  /// `i686`, `ppc64el`), but not by normalised(): images are not labelled with it.
  ///
  /// Errors: Errc::platform_invalid; the message gives an example of what is allowed.
  static Result<Platform> parse(std::string_view text);

  /// Reads the form used in URL paths: `linux-arm64`, `linux-arm-v7`, `windows-amd64`,
  /// `arm64`; `windows(10.0.20348)-amd64` is not allowed there, nor what is not known: in a path a
  /// typing error would go unnoticed.
  ///
  /// Errors: Errc::platform_invalid.
  static Result<Platform> parse_token(std::string_view text);

  /// This platform with every member in its normal form.
  Platform normalised() const;

  /// `os/architecture[/variant]`, with `(os.version+feature)` behind the os where there is any.
  std::string str() const;

  friend bool operator==(const Platform&, const Platform&) = default;
};

}  // namespace archway
