#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace archway::test {

/// A forward proxy on loopback for which every name is 127.0.0.1: tunnels for CONNECT, and requests
/// with a whole URL handed on as they are. Each connection has its own thread; all end with this
/// object.
class ScriptedProxy {
 public:
  struct Options {
    std::string authorization = {};  ///< what has to be in Proxy-Authorization; "" : nothing
    std::string answer = {};         ///< given to every request instead of doing what it asks
    bool silent = false;             ///< takes requests and says nothing
  };

  ScriptedProxy() : ScriptedProxy(Options()) {}
  explicit ScriptedProxy(Options options);
  ScriptedProxy(const ScriptedProxy&) = delete;
  ScriptedProxy& operator=(const ScriptedProxy&) = delete;
  ~ScriptedProxy();

  /// `127.0.0.1:port`
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The head of the first request of each connection, in the order of their arrival.
  std::vector<std::string> heads() const;

 private:
  void accept_all();
  void serve(int client);
  void pump(int client, int target) const;

  Options options_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace archway::test
