#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <vector>

namespace archway::bench {

/// What a load client is to do.
struct Plan {
  enum class Body : std::uint8_t {
    copy,  ///< read into memory, as clients do
    drop,  ///< thrown away in the kernel where that can be: shows the server
  };

  sockaddr_in server{};
  bool tls = false;
  std::vector<std::string> targets;  ///< each client takes them in turn
  std::string host;
  std::string method = "GET";
  std::string lines;  ///< further header lines, each with its CRLF
  std::size_t clients = 1;
  std::uint64_t requests = 0;             ///< in all; 0: until the time is up
  std::chrono::duration<double> time{0};  ///< no request begins later; 0: no limit
  bool cut = false;                       ///< when the time is up, unfinished answers are left
  bool new_connections = false;           ///< one for each request
  bool resume = false;                    ///< TLS sessions are
  std::uint64_t rate = 0;                 ///< bytes a second that each client takes; 0: all
  bool hold = false;                      ///< each client keeps its connection until the input ends
  Body body = Body::copy;
};

/// Reads the command line. Throws std::invalid_argument, which says what is wrong.
Plan read_plan(const std::vector<std::string_view>& arguments);

/// What came of it.
struct Tally {
  std::uint64_t begun = 0;
  std::uint64_t requests = 0;  ///< answered in full
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;  ///< of bodies
  std::uint64_t resumed = 0;
  std::vector<double> first_byte;  ///< seconds
  std::vector<double> whole;       ///< seconds
  std::string first_error;
};

}  // namespace archway::bench
