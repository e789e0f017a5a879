#pragma once

#include "resolver/model/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {

/// A parameter that an endpoint understands.
struct Parameter {
  std::string_view name;
  bool repeats = false;
};

/// The query of a request to the operator's port: names that the endpoint understands, values
/// percent-decoded (a plus sign stays one: media types have it) and printable UTF-8.
class Query {
 public:
  /// `target` with or without a query.
  ///
  /// Errors: Errc::request_invalid for a name that is not allowed (the message lists those that
  /// are), for one that stands there twice and does not repeat, and for a value that cannot be
  /// read.
  static Result<Query> parse(std::string_view target, const std::vector<Parameter>& allowed);

  std::optional<std::string> find(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  /// Errors: Errc::request_invalid when it is not there or empty; `example` is how to write it.
  Result<std::string> need(std::string_view name, std::string_view example) const;
  /// False when it is not there; `name=1` and a bare `name` are true, `name=0` is false.
  /// Errors: Errc::request_invalid for anything else.
  Result<bool> flag(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// A parameter whose value is of no use: "the parameter NAME: WHY".
Error bad_parameter(std::string_view name, std::string_view why);

/// Percent-decodes a part of a target; none for a broken escape and for what is not printable
/// UTF-8.
std::optional<std::string> decoded(std::string_view text);

/// What a client sent, in quotes and not longer than a person wants to read it.
std::string shown(std::string_view text);

}  // namespace archway::proxy
