#pragma once

#include "resolver/model/name.hpp"
#include "resolver/model/result.hpp"
#include "resolver/upstream_of.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace archway::proxy {

/// An image as an operator writes it, in full.
struct NamedImage {
  ImageName image;
  std::optional<Reference> reference = {};  ///< as written; none where neither tag nor digest was

  /// `docker.io/library/golang:1.22`; the name alone without a reference.
  std::string str() const;
};

/// Reads what people write on a command line (resolver::parse_image()); but a first part that is a
/// configured upstream's name, or another name for one, stands for it whatever its look.
///
/// Errors: as resolver::parse_image(). An upstream that is not configured is none: see known().
Result<NamedImage> read_image_name(std::string_view text, const resolver::UpstreamNames& names);

/// The same, of a configured upstream only. Errors: also Errc::name_unknown, naming those there
/// are.
Result<NamedImage> read_known_image(std::string_view text, const resolver::UpstreamNames& names);

}  // namespace archway::proxy
