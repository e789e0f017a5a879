#pragma once

#include "proxy/http/envelope.hpp"
#include "proxy/http/message.hpp"
#include "proxy/http/ready_answers.hpp"
#include "proxy/http/stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>

namespace archway::proxy {

/// What a connection asks for an answer. Lives longer than every connection.
/// Threads: several loops call it at once.
class Handler {
 public:
  virtual ~Handler() = default;

  /// Never fails: what goes wrong is an answer too. Bounded in time by itself.
  virtual boost::asio::awaitable<Response> handle(std::shared_ptr<const Request> request) = 0;

  /// An answer for a request that could not be read.
  virtual Response refuse(std::uint16_t status, std::string why) = 0;

  /// A conversation that ended otherwise than by an answer. `reason`: slow_request (no whole header
  /// block in time), slow_reader (took too little of its answer).
  virtual void lost(std::string_view reason) { (void)reason; }

  /// Where this loop's answers are kept that may be given again; nullptr: each is made anew.
  virtual ReadyAnswers* ready_answers() { return nullptr; }

  /// The longest target that it reads, in bytes; a header block has to have room for it.
  virtual std::size_t target_max() const { return target_bytes_max; }
};

struct ConnectionBounds {
  std::chrono::milliseconds idle;     ///< between requests
  std::chrono::milliseconds request;  ///< for a whole header block, and for a TLS handshake
  std::chrono::milliseconds stall;    ///< for a client to take 64 KiB, or what is left
};

/// The connections of one loop, so that a server can end them: politely, then not.
/// Threads: the loop's.
class ConnectionSet {
 public:
  class Entry : public boost::intrusive::list_base_hook<> {
   public:
    Entry(ConnectionSet& set, Stream& stream) : set_(set), stream_(stream) {
      set_.entries_.push_back(*this);
    }
    ~Entry() { set_.entries_.erase(set_.entries_.iterator_to(*this)); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    bool idle() const { return idle_; }
    /// Waiting for a request since now.
    void now_idle() {
      idle_ = true;
      set_.entries_.splice(set_.entries_.end(), set_.entries_, set_.entries_.iterator_to(*this));
    }
    void now_busy() { idle_ = false; }
    bool draining() const { return set_.draining_; }

   private:
    friend class ConnectionSet;
    ConnectionSet& set_;
    Stream& stream_;
    bool idle_ = true;
  };

  /// Closes the idle ones; the others end with their answer.
  void drain();
  /// Closes the one that has waited longest for its client's next request; false when all are busy.
  bool close_oldest_idle();
  /// Resets all.
  void abort();
  std::size_t size() const { return entries_.size(); }

 private:
  boost::intrusive::list<Entry> entries_;  // the idle ones in the order of their becoming so
  bool draining_ = false;
};

/// One client's HTTP/1.1 conversation, from the first byte to the close. A TLS hello on a plaintext
/// stream is answered at once with `HTTP/1.0 400` (clients otherwise wait ten seconds).
boost::asio::awaitable<void> serve_connection(Stream* stream, std::shared_ptr<const Peer> peer,
                                              Handler* handler, ConnectionSet* set,
                                              ConnectionBounds bounds);

}  // namespace archway::proxy
