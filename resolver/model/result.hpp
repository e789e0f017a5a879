#pragma once

#include "resolver/model/error.hpp"

#include <type_traits>
#include <utility>
#include <variant>

namespace archway {

/// A value or an Error, and a compiler warning for whoever drops it unread.
///
/// Test it with `if (!result)`, read it with `*result` or `result->`; reading the wrong side is a
/// bug and throws std::bad_variant_access. Passing a failure on is spelled out, so that every exit
/// of a function can be seen:
///
///     const auto digest = Digest::parse(text);
///     if (!digest) return digest.error();
///
/// The names are those of C++23's std::expected, which this becomes when our compilers have it.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// For work that gives nothing back but can fail; `return Result<void>{}` is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  const Error& error() const& { return std::get<1>(state_); }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace archway
