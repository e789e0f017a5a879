#pragma once

#include <string>
#include <string_view>

namespace archway::proxy {

/// The user name that stands for "the password is an identity token": one that only a token service
/// takes, for tokens (the refresh token of OAuth2).
///
/// Source: docker's credential helpers protocol.
inline constexpr std::string_view identity_token_user = "<token>";

/// A user name and password at an upstream, wiped from memory when the last who uses it is done.
class Login {
 public:
  Login(std::string username, std::string password);
  ~Login();
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  bool is_identity_token() const { return username_ == identity_token_user; }
  const std::string& password() const { return password_; }
  /// `Basic …`. Source: RFC 7617 section 2.
  std::string basic() const;
  /// Tells it from every other one, in this process, without saying what it is.
  const std::string& mark() const { return mark_; }

 private:
  std::string username_;
  std::string password_;
  std::string mark_;
};

}  // namespace archway::proxy
