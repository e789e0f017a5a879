#pragma once

#include <string>
#include <vector>

namespace archway::proxy {

/// A made-up client's request for an image, as `GET /api/v1/explain` takes it; "" : not said.
struct ExplainQuery {
  std::string image;
  std::string platform = {};  ///< stated, by whatever the client would say it
  std::string header = {};    ///< the platform header's value
  std::string path = {};      ///< the token of a path: `linux-arm-v7`
  std::string user_agent = {};
  std::string from = {};         ///< the client's address
  std::string host = {};         ///< Host
  std::string server_name = {};  ///< SNI
  std::string port = {};         ///< of the listener
  std::string certificate = {};  ///< the subject's common name
  std::vector<std::string> accept = {};
};

/// The target to ask the admin port for.
std::string explain_target(const ExplainQuery& query);

}  // namespace archway::proxy
