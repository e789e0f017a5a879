#pragma once

#include "proxy/http/reuse.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace archway::proxy {

/// An answer that was made before, as bytes.
struct ReadyAnswer {
  std::string block;                 ///< the request's header block that it answers
  std::shared_ptr<const Peer> peer;  ///< who asked
  std::string head;                  ///< without X-Request-Id, Date and the empty line
  BytesBody body;                    ///< null where none is sent (HEAD, 304)
  std::shared_ptr<const Reuse> reuse;
  bool last = false;  ///< the client wants no other on this connection

  std::uint64_t body_bytes() const { return body ? body->size() : 0; }
  /// All of it, for the request of that id.
  void append_to(std::string& out, std::string_view id) const;
};

/// Answers that are asked for again and again, by the bytes of the request: they are sent without
/// the request being read, or anything being looked up or decided anew. What makes one wrong is
/// known to its Reuse, which is asked each time.
///
/// Bounded: when there is no room all go, and those that are asked for come back.
/// Threads: one loop's.
class ReadyAnswers {
 public:
  static constexpr std::size_t bytes_max = 2 * 1024 * 1024;
  static constexpr std::size_t one_bytes_max = 64 * 1024;

  /// `by_address`: what is answered depends on the client's address.
  explicit ReadyAnswers(bool by_address) : by_address_(by_address) {}

  /// The one for these bytes from such a client; null when there is none, or it is not right any
  /// more.
  std::shared_ptr<const ReadyAnswer> find(std::string_view block, const Peer& peer);

  /// Keeps an answer that has a Reuse, if it is one of bytes for a request that shows no
  /// credentials.
  void keep(std::string_view block, const Request& request, const Response& response);

  /// Of all that is kept.
  std::size_t bytes() const { return bytes_; }

 private:
  std::uint64_t key_of(std::string_view block, const Peer& peer) const;
  bool alike(const Peer& a, const Peer& b) const;
  void forget(std::uint64_t key);

  const bool by_address_;
  std::size_t bytes_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<const ReadyAnswer>> answers_;
};

}  // namespace archway::proxy
